// The page's template, embedded at build: page.html with the style and the script in it.
#pragma once

#include <string_view>

extern "C" {
extern const char rogate_report_page_begin[];
extern const char rogate_report_page_end[];
}

namespace rogate::report {

inline std::string_view html_page() {
    return {rogate_report_page_begin,
            static_cast<std::size_t>(rogate_report_page_end - rogate_report_page_begin)};
}

}  // namespace rogate::report
