#include "suite/junit.hpp"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/escape.hpp"

namespace rogate::suite {

namespace {

using Status = TestOutcome::Status;

constexpr int deepest = 64;
constexpr std::size_t longest_name = 500, longest_message = 300;

// One line of at most `limit` bytes: its first one that is not empty.
std::string first_line(std::string_view text, std::size_t limit) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    text = text.substr(0, text.find_first_of("\r\n"));
    while (text.ends_with(' ')) text.remove_suffix(1);
    if (text.size() <= limit) return std::string(text);
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    return std::string(text.substr(0, end)) + "…";
}

// JUnit has no namespace, though some runners write one before their own elements.
class Reader {
  public:
    Reader(const std::string& file, std::vector<TestCase>& cases)
        : file_(file), cases_(cases), parser_(XML_ParserCreate(nullptr), XML_ParserFree) {}

    Result<> read(std::string_view text) {
        if (!parser_) return fail(ErrorKind::internal, "out of memory");
        XML_SetUserData(parser_.get(), this);
        XML_SetElementHandler(
            parser_.get(),
            [](void* self, const char* name, const char** attributes) {
                static_cast<Reader*>(self)->start(name, attributes);
            },
            [](void* self, const char*) { static_cast<Reader*>(self)->end(); });
        XML_SetCharacterDataHandler(parser_.get(), [](void* self, const char* text_, int size) {
            static_cast<Reader*>(self)->characters({text_, static_cast<std::size_t>(size)});
        });
        XML_SetStartDoctypeDeclHandler(
            parser_.get(), [](void* self, const char*, const char*, const char*, int) {
                static_cast<Reader*>(self)->stop("it declares a document type, which JUnit has none of");
            });
        const XML_Status status =
            XML_Parse(parser_.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
        if (!why_.empty()) return refused(why_);
        if (status != XML_STATUS_OK)
            return refused(fmt::format("it is not well-formed XML ({})",
                                       XML_ErrorString(XML_GetErrorCode(parser_.get()))));
        return {};
    }

  private:
    tl::unexpected<Error> refused(const std::string& why) const {
        return fail(ErrorKind::scenario,
                    fmt::format("{}:{}: {}", file_, XML_GetCurrentLineNumber(parser_.get()), why));
    }
    void stop(std::string why) {
        if (why_.empty()) why_ = std::move(why);
        XML_StopParser(parser_.get(), XML_FALSE);
    }

    void start(std::string_view name, const char** attributes) {
        const auto attribute = [&](std::string_view wanted) -> std::string_view {
            for (const char** each = attributes; *each != nullptr; each += 2)
                if (wanted == each[0]) return each[1];
            return {};
        };
        if (++depth_ > deepest) return stop(fmt::format("its elements are nested deeper than {}", deepest));
        if (depth_ == 1 && name != "testsuites" && name != "testsuite")
            return stop(fmt::format("its root is <{}>, where JUnit has <testsuites> or <testsuite>",
                                    escape_text(name.substr(0, 60))));
        if (name == "testcase") {
            begin(attribute("classname"), attribute("name"));
            // GoogleTest 1.10 and others say it there alone.
            for (const char* each : {"status", "result"})
                if (in_case_ == depth_) settle_by_word(attribute(each));
            return;
        }
        if (in_case_ == 0 && name == "testsuite") {
            suite_ = first_line(attribute("name"), longest_name);
            in_suite_ = depth_;
        }
        // What fails beside the tests of a suite (its set-up) is no test's.
        if (in_case_ == 0 && depth_ == in_suite_ + 1 && (name == "failure" || name == "error")) {
            begin(suite_, "the suite itself");
            if (in_case_ == depth_) settle(Status::failed, attribute("message"));
            return;
        }
        if (in_case_ == 0 || depth_ != in_case_ + 1) return;
        if (name == "failure" || name == "error") {
            // Of several the first one says why.
            if (cases_.back().outcome.status == Status::failed && !cases_.back().outcome.message.empty())
                return;
            settle(Status::failed, attribute("message"));
            if (cases_.back().outcome.message.empty()) collecting_ = depth_;
            text_.clear();
        } else if (name == "skipped" && cases_.back().outcome.status == Status::passed) {
            settle(Status::skipped, attribute("message"));
        }
    }

    void begin(std::string_view in, std::string_view name) {
        if (in_case_ != 0) return stop("a <testcase> is within another one");
        if (name.empty()) return stop("a <testcase> has no name");
        if (cases_.size() >= most_tests) return stop(fmt::format("there are more than {} tests", most_tests));
        TestCase made;
        made.outcome.plain = first_line(name, longest_name);
        made.name = in.empty() ? made.outcome.plain : first_line(in, longest_name) + "." + made.outcome.plain;
        cases_.push_back(std::move(made));
        in_case_ = depth_;
    }

    void settle_by_word(std::string_view word) {
        static constexpr std::array skipped = {"notrun",     "not run", "skipped", "skip",
                                               "suppressed", "ignored", "pending", "disabled"};
        static constexpr std::array failed = {"failed", "fail", "failure", "error", "errored", "broken"};
        std::string lower(word);
        for (char& c : lower)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (std::ranges::find(failed, lower) != failed.end())
            settle(Status::failed, "");
        else if (std::ranges::find(skipped, lower) != skipped.end() &&
                 cases_.back().outcome.status == Status::passed)
            settle(Status::skipped, "");
    }

    void settle(Status status, std::string_view message) {
        cases_.back().outcome.status = status;
        cases_.back().outcome.message = first_line(message, longest_message);
    }

    void characters(std::string_view text) {
        constexpr std::size_t enough = 4096;
        if (collecting_ != 0 && text_.size() < enough) text_ += text.substr(0, enough - text_.size());
    }

    void end() {
        if (collecting_ == depth_) {
            cases_.back().outcome.message = first_line(text_, longest_message);
            collecting_ = 0;
        }
        if (in_case_ == depth_) in_case_ = 0;
        if (in_suite_ == depth_) --in_suite_;
        --depth_;
    }

    const std::string& file_;
    std::vector<TestCase>& cases_;
    std::unique_ptr<XML_ParserStruct, void (*)(XML_Parser)> parser_;
    std::string why_, text_, suite_;
    int depth_ = 0;
    int in_case_ = 0, in_suite_ = 0, collecting_ = 0;  // depth of the element; 0: in none
};

}  // namespace

Result<> read_junit(std::string_view text, const std::string& file, std::vector<TestCase>& cases) {
    if (text.size() > largest_file)
        return fail(ErrorKind::scenario,
                    fmt::format("{}: it is larger than the {} MiB that are read", file, largest_file >> 20U));
    return Reader(file, cases).read(text);
}

}  // namespace rogate::suite
