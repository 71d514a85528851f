#include "spec/kube_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "spec/nearest_name.hpp"

namespace rogate::spec {

KubeObject::KubeObject(const Value& value, std::string where, const Names& read, const Names& harmless,
                       const Context& context)
    : value_(value), where_(std::move(where)), context_(context) {
    if (value.kind != Value::Kind::mapping) {
        context.problem(value,
                        fmt::format("{} is {}; write a mapping (key: value)", where_, kind_name(value)));
        return;
    }
    Names known(read);
    known.insert(known.end(), harmless.begin(), harmless.end());
    for (const auto& [key, set] : value.pairs) {
        if (std::ranges::find(known, key->text) != known.end() || set->kind == Value::Kind::null) continue;
        const std::string_view near = nearest_name(key->text, known);
        context.problem(*key,
                        fmt::format("field {} of {} is not supported; {}", in_quotes(key->text), where_,
                                    near.empty() ? "leave it out of a copy of the manifest, or write the "
                                                   "subject without the manifest"
                                                 : fmt::format("did you mean '{}'?", near)));
    }
}

const Value* kube_field(const Value& object, std::string_view key) {
    for (const auto& [name, value] : object.pairs)
        if (name->text == key) return value->kind == Value::Kind::null ? nullptr : value.get();
    return nullptr;
}

std::string kube_text(const Value& object, std::string_view key) {
    const Value* value = kube_field(object, key);
    return value != nullptr && value->kind == Value::Kind::scalar ? value->text : std::string();
}

const Value* KubeObject::get(std::string_view key) const {
    return kube_field(value_, key);
}

std::optional<std::string> KubeObject::text(std::string_view key) const {
    const Value* value = get(key);
    return value == nullptr ? std::nullopt : read_text(*value, fmt::format("'{}'", key), context_);
}

std::optional<std::int64_t> KubeObject::integer(std::string_view key, std::int64_t min,
                                                std::int64_t max) const {
    const Value* value = get(key);
    return value == nullptr ? std::nullopt
                            : read_integer(*value, fmt::format("'{}'", key), context_, min, max);
}

bool KubeObject::flag(std::string_view key, bool otherwise) const {
    const Value* value = get(key);
    return value == nullptr ? otherwise
                            : read_bool(*value, fmt::format("'{}'", key), context_).value_or(otherwise);
}

std::vector<std::string> KubeObject::texts(std::string_view key) const {
    const Value* value = get(key);
    if (value == nullptr) return {};
    return read_texts(*value, fmt::format("'{}'", key), context_).value_or(std::vector<std::string>{});
}

std::vector<ValuePtr> KubeObject::list(std::string_view key) const {
    const Value* value = get(key);
    if (value == nullptr) return {};
    if (value->kind != Value::Kind::sequence)
        context_.problem(*value,
                         fmt::format("'{}' of {} is {}; write a list", key, where_, kind_name(*value)));
    return value->items;
}

void KubeObject::refuse_if_set(std::string_view key, std::string_view why) const {
    const Value* value = get(key);
    if (value == nullptr || !flag(key)) return;
    context_.problem(*value, fmt::format("'{}' of {} is not supported: {}; leave it out with --without {}",
                                         key, where_, why, key));
}

Parsed<std::int64_t> parse_quantity(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, double>, 9> units{{{"Ki", 1024.0},
                                                                        {"Mi", 1048576.0},
                                                                        {"Gi", 1073741824.0},
                                                                        {"Ti", 1099511627776.0},
                                                                        {"k", 1e3},
                                                                        {"M", 1e6},
                                                                        {"G", 1e9},
                                                                        {"T", 1e12},
                                                                        {"", 1.0}}};
    for (const auto& [unit, factor] : units) {
        if (!text.ends_with(unit)) continue;
        const std::string number(text.substr(0, text.size() - unit.size()));
        if (number.empty() || number.find_first_not_of("0123456789.") != std::string::npos) continue;
        const double bytes = std::strtod(number.c_str(), nullptr) * factor;
        if (bytes >= 1 && bytes < 9e18) return static_cast<std::int64_t>(std::ceil(bytes));
    }
    return tl::unexpected<std::string>(
        fmt::format("{} is not a quantity of bytes; write for example 64Mi", in_quotes(text)));
}

Parsed<std::uint32_t> parse_file_mode(std::string_view text) {
    std::string digits(text);
    int base = 10;
    if (digits.size() > 1 && digits[0] == '0') {
        base = 8;
        digits.erase(0, digits[1] == 'o' ? 2 : 1);
    }
    const bool number = !digits.empty() && digits.size() < 6 &&
                        digits.find_first_not_of(base == 8 ? "01234567" : "0123456789") == std::string::npos;
    const unsigned long mode = number ? std::strtoul(digits.c_str(), nullptr, base) : 0x1000UL;
    if (mode <= 0777) return static_cast<std::uint32_t>(mode);
    return tl::unexpected<std::string>(fmt::format(
        "{} is not the mode of a file; write it from 0 to 0777, or from 0 to 511", in_quotes(text)));
}

Parsed<std::string> decode_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    unsigned bits = 0;
    int held = 0;
    std::size_t digits = 0;
    for (const char c : text) {
        if (c == '\n' || c == '\r' || c == ' ' || c == '=') continue;
        const std::size_t value = alphabet.find(c);
        if (value == std::string_view::npos)
            return tl::unexpected<std::string>("not base64; write the text under 'stringData', or encode it");
        bits = (bits << 6U) | static_cast<unsigned>(value);
        held += 6;
        ++digits;
        if (held < 8) continue;
        held -= 8;
        out += static_cast<char>((bits >> static_cast<unsigned>(held)) & 0xffU);
    }
    if (digits % 4 == 1)
        return tl::unexpected<std::string>(
            "not base64 (cut short); write the text under 'stringData', or encode it");
    return out;
}

Parsed<std::string> parse_sub_path(std::string_view text) {
    std::string path;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find('/', start), text.size());
        const std::string_view part = text.substr(start, end - start);
        if (part == ".." || (start == 0 && part.empty() && !text.empty()))
            return tl::unexpected<std::string>(fmt::format(
                "{} leads out of the volume; write a relative path without '..'", in_quotes(text)));
        if (!part.empty() && part != ".") path += (path.empty() ? "" : "/") + std::string(part);
        start = end + 1;
    }
    return path;
}

}  // namespace rogate::spec
