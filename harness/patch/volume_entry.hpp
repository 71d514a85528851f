// The notations of a mount that Compose, `docker run` and rogate's scenarios share. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::patch {

// "SOURCE:TARGET:OPTIONS" cut at its colons; those in "${VAR:-x}" and "$(…)" are not such ones.
struct ShortMount {
    std::string source;  // empty: TARGET alone
    std::string target;
    std::vector<std::string> options;
    std::size_t options_at = std::string::npos;  // where they begin in the text; npos: there are none
    bool variable_options = false;
};
// Nothing if it is not of this form. `shell`: for `docker run`, where a drive letter is none.
std::optional<ShortMount> parse_short(std::string_view text);
bool has_option(const ShortMount& mount, std::string_view option);
// How the text is changed to read-only: `length` bytes at `at` become `text`. Nothing if it is so already.
struct Splice {
    std::size_t at = 0, length = 0;
    std::string text;
};
std::optional<Splice> short_read_only(std::string_view text, const ShortMount& mount);
// The same to writable.
std::optional<Splice> short_writable(const ShortMount& mount);

// "TARGET" or "TARGET:OPTIONS" of a tmpfs.
ShortMount parse_tmpfs(std::string_view text);

// "/data" of "/data/", "//data/./"; as it is if it is not absolute.
std::string normalised(std::string_view path);
bool has_variable(std::string_view text);
// Could `text`, with its variables filled in, be `path`?
bool could_be(std::string_view text, std::string_view path);

// "web_data_run": a name for a volume that nothing in `taken` has.
std::string volume_name(std::string_view owner, std::string_view path, char joint,
                        const std::vector<std::string>& taken);

std::vector<std::string> split_outside(std::string_view text, char separator);

}  // namespace rogate::patch
