#include "campaign/owners.hpp"

#include <archive_entry.h>
#include <fmt/format.h>

#include <charconv>

#include "base/text.hpp"
#include "campaign/tar.hpp"

namespace rogate::campaign {

namespace {

bool take_number(std::string_view& line, std::uint32_t& number) {
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    const auto size = static_cast<std::size_t>(end - line.data());
    if (error != std::errc() || size >= line.size() || line[size] != ' ') return false;
    line.remove_prefix(size + 1);
    return true;
}

// "./a/b/", "/a/b" and "a/b" are one: podman writes each of them.
std::string relative(std::string_view name) {
    if (name.starts_with("./")) name.remove_prefix(2);
    while (name.starts_with('/')) name.remove_prefix(1);
    while (name.ends_with('/')) name.remove_suffix(1);
    return name == "." ? std::string() : std::string(name);
}

}  // namespace

Result<Owners> owners_of(std::string_view said) {
    static constexpr std::string_view last = "end\n";
    const auto broken = [](std::string_view where) {
        return fail(
            ErrorKind::protocol,
            fmt::format("the list of owners is broken at '{}'; nothing can be concluded from data whose "
                        "owners are not known; run again",
                        where.substr(0, 100)));
    };
    if (!said.ends_with(last))
        return broken(said.substr(said.size() - std::min<std::size_t>(said.size(), 20)));
    said.remove_suffix(last.size());
    Owners owners;
    while (!said.empty()) {
        const std::size_t end = said.find('\n');
        if (end == std::string_view::npos) return broken(said);
        std::string_view line = said.substr(0, end);
        const std::string_view whole = line;
        std::uint32_t user = 0, group = 0;
        if (!take_number(line, user) || !take_number(line, group)) return broken(whole);
        owners[without_octal(line)] = {user, group};
        said.remove_prefix(end + 1);
    }
    return owners;
}

Result<std::string> with_owners(std::string_view tar, const Owners& owners) {
    const bool single = owners.size() == 1 && owners.begin()->first.empty();
    return with_headers(tar, [&](archive_entry* entry) -> Result<> {
        const std::string name = archive_entry_pathname(entry);
        const auto found = owners.find(single ? std::string() : relative(name));
        if (found == owners.end())
            return fail(
                ErrorKind::engine,
                fmt::format("'{}' changed while it was copied; let nothing write there while rogate runs",
                            name));
        archive_entry_set_uid(entry, found->second.first);
        archive_entry_set_gid(entry, found->second.second);
        archive_entry_set_uname(entry, nullptr);
        archive_entry_set_gname(entry, nullptr);
        return {};
    });
}

}  // namespace rogate::campaign
