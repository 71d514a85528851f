#include "secrets/forms.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>

namespace rogate::secrets {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Lines of a value that is none but the environment's are shown unless they are this long: a script's "done".
constexpr std::size_t shortest_line = 8;

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
    std::string out;
    for (std::size_t at = 0;;) {
        const std::size_t next = text.find(what, at);
        out += text.substr(at, next == std::string_view::npos ? next : next - at);
        if (next == std::string_view::npos) return out;
        out += by;
        at = next + what.size();
    }
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(space);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

enum class Beyond { as_it_is, escaped };

// As JSON and Go's %q write it. Beyond::escaped: what is not ASCII as \uXXXX.
std::string as_json(std::string_view text, Beyond beyond, bool slash) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (text[i] == '"' || text[i] == '\\' || (slash && text[i] == '/'))
            (out += '\\') += text[i];
        else if (text[i] == '\n')
            out += "\\n";
        else if (text[i] == '\r')
            out += "\\r";
        else if (text[i] == '\t')
            out += "\\t";
        else if (byte < 0x20)
            out += fmt::format("\\u{:04x}", byte);
        else if (byte < 0x80 || beyond == Beyond::as_it_is)
            out += text[i];
        else {
            const std::size_t more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
            if (more == 0 || i + more >= text.size()) return {};
            std::uint32_t code = byte & (0x3fU >> more);
            for (std::size_t n = 1; n <= more; ++n)
                code = code << 6U | (static_cast<unsigned char>(text[i + n]) & 0x3fU);
            i += more;
            if (code >= 0x10000)
                out += fmt::format("\\u{:04x}\\u{:04x}", 0xd800U + ((code - 0x10000U) >> 10U),
                                   0xdc00U + ((code - 0x10000U) & 0x3ffU));
            else
                out += fmt::format("\\u{:04x}", code);
        }
    }
    return out;
}

std::string as_url(std::string_view text, bool upper, bool plus, std::string_view plain) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || plain.find(c) != std::string_view::npos)
            out += c;
        else if (plus && c == ' ')
            out += '+';
        else
            out += upper ? fmt::format("%{:02X}", byte) : fmt::format("%{:02x}", byte);
    }
    return out;
}

std::string as_markup(std::string_view text, std::string_view quote, std::string_view apostrophe) {
    std::string out = replaced(text, "&", "&amp;");
    out = replaced(replaced(out, "<", "&lt;"), ">", "&gt;");
    return replaced(replaced(out, "\"", quote), "'", apostrophe);
}

class Forms {
  public:
    Forms(std::string_view text, SecretKind kind, Secrets& to) : kind_(kind), to_(to) {
        const std::string_view core = trimmed(text);
        for (const std::string_view each : {text, core}) of_one(each);
        if (core.find_first_of("\r\n") != std::string_view::npos) lines(core);
    }

  private:
    void add(std::string_view text) { add_secret(to_, text, kind_); }
    void of_one(std::string_view text) {
        add(text);
        if (text.size() < shortest_secret) return;
        for (const bool slash : {false, true}) {
            add(as_json(text, Beyond::as_it_is, slash));
            add(as_json(text, Beyond::escaped, slash));
        }
        if (text.find('\'') != std::string_view::npos) add(replaced(text, "'", "'\\''"));
        for (const auto& [quote, apostrophe] :
             {std::pair{"&quot;", "&#39;"}, {"&#34;", "&#39;"}, {"&quot;", "&#x27;"}, {"\"", "'"}})
            add(as_markup(text, quote, apostrophe));
        for (const bool upper : {false, true})
            for (const bool plus : {false, true})
                for (const std::string_view plain : {"-_.~", "-_.", "-_.~!$&'()*+,;=:@", "-_.!~*'()"})
                    add(as_url(text, upper, plus, plain));
        if (kind_ != SecretKind::secret) return;
        // Without the padding, and so with it as well.
        std::string encoded = base64(text);
        while (encoded.ends_with('=')) encoded.pop_back();
        add(encoded);
        add(replaced(replaced(encoded, "+", "-"), "/", "_"));
    }
    void lines(std::string_view text) {
        const std::string plain = replaced(replaced(text, "\r\n", "\n"), "\r", "\n");
        of_one(plain);
        of_one(replaced(plain, "\n", "\r\n"));
        for (std::string_view rest = plain; !rest.empty();) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            const std::string_view line = trimmed(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (line.size() >= shortest_line)
                of_one(line);
            else if (kind_ == SecretKind::secret)
                add_secret(to_, line, SecretKind::environment);
        }
    }

    SecretKind kind_;
    Secrets& to_;
};

}  // namespace

std::string base64(std::string_view bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t n = 0; n < 3; ++n)
            group = group << 8U | (i + n < bytes.size() ? static_cast<unsigned char>(bytes[i + n]) : 0U);
        for (std::size_t n = 0; n < 4; ++n)
            out += i + n > bytes.size() ? '=' : alphabet[group >> (18 - 6 * n) & 0x3fU];
    }
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    while (text.ends_with('=')) text.remove_suffix(1);
    if (text.empty() || text.size() % 4 == 1) return std::nullopt;
    std::string out;
    std::uint32_t group = 0;
    int bits = 0;
    for (const char c : text) {
        const std::size_t value = alphabet.find(c == '-' ? '+' : c == '_' ? '/' : c);
        if (value == std::string_view::npos) return std::nullopt;
        group = group << 6U | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out += static_cast<char>(group >> static_cast<unsigned>(bits) & 0xffU);
    }
    return out;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto hex = [&](std::size_t at) {
            return std::isxdigit(static_cast<unsigned char>(text[at])) != 0;
        };
        if (text[i] != '%' || i + 2 >= text.size() || !hex(i + 1) || !hex(i + 2)) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
    }
    return out;
}

Secrets with_forms(const Secrets& found) {
    Secrets all;
    for (const auto& [text, kind] : found) Forms(text, kind, all);
    return all;
}

}  // namespace rogate::secrets
