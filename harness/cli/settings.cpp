#include "cli/settings.hpp"

#include <algorithm>

#include "cli/files.hpp"

namespace rogate::cli {

// The user's own come first; of two with one name the first counts.
Result<std::vector<advise::Setting>> settings_of(const RunOptions& options) {
    std::vector<advise::Setting> all;
    if (options.no_settings) return all;
    const auto add = [&](const std::vector<advise::Setting>& more) {
        for (const advise::Setting& each : more)
            if (std::ranges::find(all, each.id, &advise::Setting::id) == all.end()) all.push_back(each);
    };
    for (const std::string& file : options.settings) {
        auto text = read_file(file);
        if (!text) return fail(std::move(text.error()));
        auto read = advise::parse_settings(*text, file);
        if (!read) return fail(std::move(read.error()));
        add(*read);
    }
    add(advise::shipped_settings());
    return all;
}

}  // namespace rogate::cli
