#include "base/volatile_names.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/name_forms.hpp"
#include "base/name_pattern.hpp"
#include "base/text.hpp"

namespace rogate {

namespace {

constexpr std::size_t alike_tried = 16;       // names of the other run that one is compared with
constexpr std::size_t names_of_run = 20'000;  // that only one run has; more are not looked at

// Where each component of `rest` ends.
std::vector<std::size_t> ends_of(std::string_view rest) {
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i <= rest.size(); ++i)
        if (i == rest.size() || rest[i] == '/') ends.push_back(i);
    return ends;
}

std::size_t fixed_of(std::string_view path, std::string_view mount) {
    if (mount.empty() || !is_or_below(path, mount)) return 0;
    return mount.size();
}

// A year, and after it a month, a day, an hour, a minute: folders of a calendar.
class Calendar {
  public:
    bool is_next(std::string_view name) {
        constexpr std::array<int, 5> highest = {0, 12, 31, 23, 59};
        const bool digits = all_digits(name) && name.size() <= 4;
        const int value = digits ? std::stoi(std::string(name)) : 0;
        if (depth_ > 0 && depth_ < highest.size() && digits && name.size() <= 2 && value <= highest[depth_]) {
            ++depth_;
            return true;
        }
        depth_ = digits && name.size() == 4 && value >= 1970 && value < 2100 ? 1 : 0;
        // "2026-11/30"
        if (name.size() == 7 && name[4] == '-' && all_digits(name.substr(0, 4)) && all_digits(name.substr(5)))
            depth_ = 2;
        return false;
    }

  private:
    std::size_t depth_ = 0;
};

std::size_t common_beginning(std::string_view a, std::string_view b) {
    const auto differs = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    return static_cast<std::size_t>(differs.first - a.begin());
}

bool is_hex_text(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_hex_digit);
}

// Letters equal, digits not: "job12x", "job9x".
std::optional<std::string> counted(std::string_view a, std::string_view b) {
    std::string out;
    std::size_t i = 0, k = 0;
    while (i < a.size() || k < b.size()) {
        std::size_t i_end = i, k_end = k;
        while (i_end < a.size() && is_digit(a[i_end])) ++i_end;
        while (k_end < b.size() && is_digit(b[k_end])) ++k_end;
        if ((i_end > i) != (k_end > k)) return std::nullopt;
        if (i_end > i) {
            const std::string_view number = a.substr(i, i_end - i);
            out += number == b.substr(k, k_end - k) && number.size() < 4 ? std::string(number)
                                                                         : to_text({NameKind::number});
            i = i_end;
            k = k_end;
        } else {
            if (i >= a.size() || k >= b.size() || a[i] != b[k]) return std::nullopt;
            out += a[i];
            ++i;
            ++k;
        }
    }
    return out;
}

// What two words have in common of which one was drawn in each run, behind a beginning that a template gave.
std::optional<std::string> drawn(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) {
        const Placeholder hex{NameKind::hex}, random{NameKind::random};
        for (const Placeholder& each : {hex, random})
            if (stands_for(each, a, false) && stands_for(each, b, false)) return to_text(each);
        return std::nullopt;
    }
    if (reads_as_words(a) && reads_as_words(b)) return std::nullopt;
    // The shortest of the usual lengths that holds the difference: the same every time, whatever letters the
    // two have in common by chance.
    const std::size_t common = common_beginning(a, b);
    for (const std::size_t length : {6U, 8U, 10U, 12U, 16U, 20U, 24U, 32U, 40U, 64U}) {
        if (length > a.size() || common + length < a.size()) continue;
        const std::size_t from = a.size() - length;
        const std::string_view first = a.substr(from), second = b.substr(from);
        const bool hex = length >= 8 && is_hex_text(first) && is_hex_text(second);
        return literal_pattern(a.substr(0, from)) +
               to_text(hex ? Placeholder{NameKind::hex} : random_of(length));
    }
    if (a.size() < 5) return std::nullopt;
    return to_text(random_of(a.size()));
}

// A name that varies by its form in one run, and happens to read as a word in the other.
std::optional<std::string> by_form_of_one(const NamePart& formed, std::string_view other) {
    if (!formed.varies || formed.varies->kind != NameKind::random) return std::nullopt;
    const std::string_view text = formed.text;
    if (text.size() != other.size() || text.substr(0, formed.kept) != other.substr(0, formed.kept))
        return std::nullopt;
    return literal_pattern(text.substr(0, formed.kept)) + to_text(*formed.varies);
}

// "tmpk3_9xq1z" has another number of words than "tmpk3v9xq1z".
std::string tempfile_pattern(std::string_view one, std::string_view other) {
    constexpr std::size_t begins = 3, drawn_length = 8;
    const auto stem = [](std::string_view name) { return name.substr(0, name.find('.')); };
    const auto is_one = [&](std::string_view name) {
        const std::string_view text = stem(name);
        return text.size() == begins + drawn_length && text.starts_with("tmp") &&
               stands_for(random_of(drawn_length), text.substr(begins), true);
    };
    if (!is_one(one) || !is_one(other) || one.substr(stem(one).size()) != other.substr(stem(other).size()))
        return {};
    return "tmp" + to_text(random_of(drawn_length)) + literal_pattern(one.substr(stem(one).size()));
}

}  // namespace

std::string pattern_by_form(std::string_view name) {
    const NameParts parts = parts_by_form(name);
    return to_pattern(parts, shortest_number(parts_of(name)));
}

std::string common_pattern(std::string_view one, std::string_view other, bool any_word) {
    if (one == other) return pattern_by_form(one);
    const std::string by_form = pattern_by_form(one);
    if (by_form == pattern_by_form(other)) return by_form;
    if (std::string pattern = tempfile_pattern(one, other); !pattern.empty()) return pattern;
    const NameParts a = parts_of(one), b = parts_of(other);
    const NameParts formed_a = parts_by_form(one), formed_b = parts_by_form(other);
    if (a.size() != b.size()) return {};
    // Where a form made one part of several, the parts of the plain names are compared.
    const bool same_places = formed_a.size() == a.size() && formed_b.size() == b.size();
    const std::size_t shortest = shortest_number(a);
    std::string pattern;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i].is_word != b[i].is_word) return {};
        if (a[i].text == b[i].text) {
            const NamePart& part = same_places ? formed_a[i] : a[i];
            pattern += to_pattern({part}, shortest);
            continue;
        }
        if (!a[i].is_word) return {};
        std::optional<std::string> found = counted(a[i].text, b[i].text);
        if (!found && same_places) found = by_form_of_one(formed_a[i], b[i].text);
        if (!found && same_places) found = by_form_of_one(formed_b[i], a[i].text);
        if (!found) found = drawn(a[i].text, b[i].text);
        if (!found && std::exchange(any_word, false)) found = to_text({NameKind::word});
        if (!found) return {};
        pattern += *found;
    }
    return pattern;
}

std::string_view program_name(const Process& process) {
    const std::string_view exe = process.exe;
    const std::string_view name = exe.substr(exe.rfind('/') + 1);
    return name.empty() ? std::string_view(process.comm) : name;
}

std::string process_pattern(std::string_view name) {
    return to_pattern(parts_of(name), 1);
}

VolatileNames::VolatileNames(const std::vector<VaryingName>& learned) {
    for (const VaryingName& each : learned) {
        const std::size_t slash = each.pattern.rfind('/') + 1;
        const std::string folder = each.pattern.substr(0, slash);
        Known& known = known_[folder];
        known.patterns.push_back(each.pattern.substr(slash));
        for (const std::string& name : each.names)
            known.names[name.substr(name.rfind('/') + 1)] = each.pattern.substr(slash);
    }
}

std::vector<VaryingName> VolatileNames::learned() const {
    std::vector<VaryingName> all;
    for (const auto& [folder, known] : known_)
        for (const std::string& pattern : known.patterns) {
            VaryingName varying{folder + pattern, {}};
            for (const auto& [name, stands] : known.names)
                if (stands == pattern) varying.names.push_back(name);
            all.push_back(std::move(varying));
        }
    std::sort(all.begin(), all.end());
    return all;
}

bool VolatileNames::know(const std::string& folder, std::string_view name, const std::string& pattern) {
    Known& known = known_[folder];
    bool news = false;
    if (std::find(known.patterns.begin(), known.patterns.end(), pattern) == known.patterns.end()) {
        known.patterns.push_back(pattern);
        std::sort(known.patterns.begin(), known.patterns.end());
        news = true;
    }
    if (!matches(pattern, name)) news = known.names.emplace(name, pattern).second || news;
    return news;
}

std::string VolatileNames::name_pattern(std::string_view name, const std::string& folder) const {
    const auto known = known_.find(folder);
    if (known != known_.end()) {
        const auto named = known->second.names.find(name);
        if (named != known->second.names.end()) return named->second;
        for (const std::string& each : known->second.patterns)
            if (matches(each, name)) return each;
    }
    return pattern_by_form(name);
}

std::string VolatileNames::pattern(std::string_view path, std::string_view mount) const {
    const std::size_t fixed = fixed_of(path, mount);
    std::string out = literal_pattern(path.substr(0, fixed));
    const std::string_view rest = path.substr(fixed);
    Calendar calendar;
    std::size_t begin = 0;
    for (const std::size_t end : ends_of(rest)) {
        const std::string_view name = rest.substr(begin, end - begin);
        if (!name.empty())
            out += calendar.is_next(name) ? to_text({NameKind::number}) : name_pattern(name, out);
        if (end < rest.size()) out += '/';
        begin = end + 1;
    }
    return out;
}

void VolatileNames::learn(const Attempts& one, const Attempts& other, bool same_plan) {
    // A run can have a million attempts, nearly all of which the other has as well: numbers tell those.
    const auto number_of = [](const Attempt& each) {
        const std::hash<std::string_view> hash;
        std::size_t number = hash(each.path);
        for (const std::string_view text : {std::string_view(each.operation), std::string_view(each.mount)})
            number = number * 1'099'511'628'211U ^ hash(text);
        return number;
    };
    const auto numbers_of = [&](const Attempts& attempts) {
        std::vector<std::size_t> numbers;
        for (const Attempt& each : attempts)
            if (each.cls == AttemptClass::write) numbers.push_back(number_of(each));
        std::sort(numbers.begin(), numbers.end());
        return numbers;
    };
    const auto only = [&](const Attempts& in, const std::vector<std::size_t>& not_in) {
        std::set<WritePlace> places;
        for (const Attempt& each : in)
            if (each.cls == AttemptClass::write && places.size() < names_of_run &&
                !std::binary_search(not_in.begin(), not_in.end(), number_of(each)))
                places.insert(
                    {each.mount, each.path, each.operation, process_pattern(program_name(each.process))});
        return Places(places.begin(), places.end());
    };
    const Places ours = only(one, numbers_of(other)), theirs = only(other, numbers_of(one));
    if (ours.empty() || theirs.empty()) return;
    // Again as long as there is news: what is below a folder that varies is at the same place once that is
    // known.
    while (learn_once(ours, theirs, same_plan)) {
    }
}

bool VolatileNames::learn_once(const Places& ours, const Places& theirs, bool same_plan) {
    // What is only in one of the two even by its pattern.
    const auto by_pattern = [&](const Places& places) {
        ByPattern all;
        for (const WritePlace& place : places) {
            const std::size_t slash = place.path.rfind('/') + 1;
            const std::string_view name = place.path.substr(slash);
            std::string folder = pattern(place.path.substr(0, slash), place.mount);
            std::string by_itself = name_pattern(name, folder);
            all[{std::move(folder), place.operation, place.program}].emplace(std::move(by_itself), name);
        }
        return all;
    };
    const ByPattern here = by_pattern(ours), there = by_pattern(theirs);
    bool news = false;
    for (const auto& [at, names] : here) {
        const auto found = there.find(at);
        if (found == there.end()) continue;
        const auto only = [](const Names& in, const Names& not_in) {
            std::vector<std::string_view> list;
            for (const auto& [by_itself, name] : in)
                if (!not_in.contains(by_itself)) list.push_back(name);
            return list;
        };
        const std::vector<std::string_view> mine = only(names, found->second),
                                            others = only(found->second, names);
        const bool any_word = same_plan && mine.size() == 1 && others.size() == 1;
        for (const std::string_view name : mine)
            for (std::size_t i = 0; i < std::min(alike_tried, others.size()); ++i) {
                const std::string common = common_pattern(name, others[i], any_word);
                if (common.empty()) continue;
                news = know(std::get<0>(at), name, common) || news;
                news = know(std::get<0>(at), others[i], common) || news;
                break;
            }
    }
    return news;
}

}  // namespace rogate
