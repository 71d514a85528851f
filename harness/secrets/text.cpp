#include "secrets/text.hpp"

#include <algorithm>
#include <cctype>

#include "secrets/forms.hpp"
#include "secrets/names.hpp"

namespace rogate::secrets {

namespace {

constexpr auto npos = std::string_view::npos;

// Bounds for what a hostile input can make of it: a body to upload is no list of credentials.
constexpr std::size_t longest_text = 1U << 20U, longest_value = 64U << 10U, most_found = 4096;

bool is_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// What is written as in a header: "Bearer x", "a=x; b=y".
bool is_header(std::string_view name, std::string_view value) {
    const auto begins = [&](std::string_view scheme) {
        return value.size() > scheme.size() && value[scheme.size()] == ' ' &&
               std::equal(scheme.begin(), scheme.end(), value.begin(), [](char a, char b) {
                   return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
               });
    };
    return name.ends_with("ookie") || name.ends_with("OOKIE") || begins("bearer") || begins("basic") ||
           begins("token") || begins("digest") || begins("apikey");
}

// Of a value that stands behind a credential's name.
void add(std::string_view value, Secrets& found) {
    if (is_no_value(value)) return;
    const SecretKind kind = is_path_like(value) ? SecretKind::environment : SecretKind::secret;
    add_secret(found, value, kind);
    if (value.find('%') != npos) add_secret(found, percent_decoded(value), kind);
}

void add_user_information(std::string_view both, Secrets& found) {
    const std::size_t colon = both.find(':');
    if (colon == npos) {
        // https://TOKEN@host: a user's name is shorter.
        const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
        if (both.size() >= 16 && std::ranges::any_of(both, is_digit)) add(both, found);
        return;
    }
    if (both.size() == colon + 1) return;
    add(both, found);
    add(both.substr(colon + 1), found);
    const std::string user = percent_decoded(both.substr(0, colon)),
                      password = percent_decoded(both.substr(colon + 1));
    add_secret(found, user + ":" + password, SecretKind::secret);
    // DSN with a public and a secret key.
    if (both.substr(0, colon).size() >= 24) add(both.substr(0, colon), found);
}

// scheme://user:password@host. A password with an unescaped '/' is none by RFC 3986, but is written all the
// same.
void find_urls(std::string_view text, Secrets& found) {
    for (std::size_t at = text.find("://"); at != npos; at = text.find("://", at + 3)) {
        const std::string_view rest = text.substr(at + 3);
        const std::string_view whole =
            rest.substr(0, std::min(rest.find_first_of(" \t\r\n\"'<>`"), rest.size()));
        const std::string_view authority =
            whole.substr(0, std::min(whole.find_first_of("/?#"), whole.size()));
        if (const std::size_t end = authority.rfind('@'); end != npos) {
            add_user_information(authority.substr(0, end), found);
            continue;
        }
        const std::size_t colon = authority.find(':'), end = whole.rfind('@');
        const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
        if (colon == npos || end == npos || end < colon) continue;
        const std::string_view port = authority.substr(colon + 1);
        if (port.empty() || !std::ranges::all_of(port, is_digit))
            add_user_information(whole.substr(0, end), found);
    }
}

// user:password@tcp(host:3306)/db, as Go's drivers have it, and jdbc:oracle:thin:user/password@host.
void find_data_source_names(std::string_view text, Secrets& found) {
    for (const std::string_view mark : {"@tcp(", "@unix(", "@tcp6("})
        for (std::size_t at = text.find(mark); at != npos; at = text.find(mark, at + 1)) {
            std::size_t begin = text.find_last_of(" \t\r\n\"'=", at);
            begin = begin == npos ? 0 : begin + 1;
            std::string_view both = text.substr(begin, at - begin);
            if (const std::size_t scheme = both.find("://"); scheme != npos) both.remove_prefix(scheme + 3);
            add_user_information(both, found);
        }
    constexpr std::string_view oracle = "jdbc:oracle:";
    for (std::size_t at = text.find(oracle); at != npos; at = text.find(oracle, at + 1)) {
        const std::size_t end = text.find('@', at), slash = text.find('/', at);
        if (end != npos && slash < end) add(text.substr(slash + 1, end - slash - 1), found);
    }
}

// Texts that are secrets by their look alone.
void find_tokens(std::string_view text, Secrets& found) {
    constexpr std::string_view begin = "-----BEGIN ", end = "-----END ";
    for (std::size_t at = text.find(begin); at != npos; at = text.find(begin, at + 1)) {
        const std::size_t last = text.find(end, at),
                          close = last == npos ? npos : text.find("-----", last + end.size());
        const std::string_view block = text.substr(at, close == npos ? npos : close + 5 - at);
        if (block.substr(0, 64).find("KEY") != npos && block.substr(0, 64).find("PUBLIC") == npos)
            add_secret(found, block, SecretKind::secret);
    }
    constexpr std::string_view prefixes[] = {
        "ghp_",  "gho_",     "ghs_",     "ghr_",     "github_pat_", "glpat-", "xoxb-", "xoxp-",
        "xoxa-", "sk_live_", "sk_test_", "rk_live_", "whsec_",      "npm_",   "pypi-", "dckr_pat_",
        "AKIA",  "ASIA",     "AIza",     "hvs.",     "eyJ",         "SG.",    "sk-"};
    for (const std::string_view prefix : prefixes)
        for (std::size_t at = text.find(prefix); at != npos; at = text.find(prefix, at + 1)) {
            if (at > 0 && is_name(text[at - 1])) continue;
            std::size_t size = 0;
            while (at + size < text.size() &&
                   (is_name(text[at + size]) || text[at + size] == '+' || text[at + size] == '/'))
                ++size;
            if (size >= 20) add_secret(found, text.substr(at, size), SecretKind::secret);
        }
}

// "…" and '…', with backslashes undone; `quote` may itself be escaped, as JSON within a shell's double quotes
// is.
std::string_view quoted(std::string_view rest, std::string_view quote, std::string& plain) {
    std::size_t at = quote.size();
    for (; at < rest.size() && !rest.substr(at).starts_with(quote); ++at) {
        char c = rest[at];
        if (c == '\\' && quote != "'" && at + 1 < rest.size() && quote.size() == 1) {
            c = rest[++at];
            if (c == 'n')
                c = '\n';
            else if (c == 't')
                c = '\t';
            else if (c == 'r')
                c = '\r';
        }
        plain += c;
    }
    return rest.substr(quote.size(), at - quote.size());
}

// The name that ends before `at`, without its quotes.
std::string_view name_before(std::string_view text, std::size_t at) {
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t')) --at;
    while (at > 0 && (text[at - 1] == '"' || text[at - 1] == '\'' || text[at - 1] == '\\')) --at;
    std::size_t begin = at;
    while (begin > 0 && is_name(text[begin - 1])) --begin;
    return text.substr(begin, at - begin);
}

void find_assignments(std::string_view text, Secrets& found) {
    for (std::size_t at = text.find_first_of(":=>"); at != npos; at = text.find_first_of(":=>", at + 1)) {
        if (found.size() > most_found) return;
        const std::string_view name = name_before(text, at);
        if (name.empty() || !is_credential_name(name)) continue;
        std::string_view rest = text.substr(at + 1, longest_value);
        if (rest.starts_with("//")) continue;
        if (text[at] == '>') {  // an element; else an arrow
            if (at < name.size() + 1 || text[at - name.size() - 1] != '<') continue;
            add(rest.substr(0, std::min(rest.find('<'), rest.size())), found);
            continue;
        }
        while (!rest.empty() && (rest[0] == '=' || rest[0] == '>' || rest[0] == ' ' || rest[0] == '\t'))
            rest.remove_prefix(1);
        if (rest.empty()) continue;
        std::string plain;
        for (const std::string_view quote : {"\\\"", "\"", "'"})
            if (rest.starts_with(quote)) {
                const std::string_view raw = quoted(rest, quote, plain);
                add(raw, found), add(plain, found);
                if (is_header(name, plain)) find_in_header(plain, found);
                rest = {};
                break;
            }
        if (rest.empty()) continue;
        const std::string_view line = rest.substr(0, std::min(rest.find_first_of("\r\n\"'"), rest.size()));
        if (is_header(name, line)) {
            find_in_header(line, found);
            continue;
        }
        const std::string_view word = rest.substr(0, std::min(rest.find_first_of(" \t\r\n"), rest.size()));
        add(word, found);
        // In a query, a list or an object something follows.
        add(word.substr(0, std::min(word.find_first_of("&;,\"'`)}]<>|\\"), word.size())), found);
    }
}

}  // namespace

void find_in_header(std::string_view value, Secrets& found) {
    add(value, found);
    for (std::size_t at = 0; at < value.size();) {
        const std::size_t end = std::min(value.find_first_of(" ;,", at), value.size());
        std::string_view part = value.substr(at, end - at);
        at = end + 1;
        // "Bearer" and "Basic" say how, and the attributes of a cookie what for.
        const bool is_scheme = part.data() == value.data() && end < value.size() && value[end] == ' ' &&
                               part.find('=') == npos && part.size() < 12;
        if (part.empty() || is_scheme) continue;
        const auto decoded = from_base64(part);
        if (decoded && value.size() > 6 && (value[0] == 'B' || value[0] == 'b') &&
            value.substr(1, 5) == "asic ") {
            add_secret(found, part, SecretKind::secret);
            add_user_information(*decoded, found);
        }
        const std::size_t equals = part.find('=');
        if (equals != npos && equals + 1 < part.size() && part[equals + 1] != '=') {
            const std::string_view name = part.substr(0, equals);
            constexpr std::string_view attributes[] = {"Path",     "Domain",  "Max-Age",   "Expires",
                                                       "SameSite", "realm",   "algorithm", "qop",
                                                       "uri",      "username"};
            if (std::ranges::find(attributes, name) != std::end(attributes)) continue;
            part.remove_prefix(equals + 1);
        }
        while (part.starts_with('"')) part.remove_prefix(1);
        while (part.ends_with('"')) part.remove_suffix(1);
        if (part.size() >= 8 || value.find(' ') == npos) add(part, found);
    }
}

void find_in_text(std::string_view text, Secrets& found) {
    text = text.substr(0, longest_text);
    find_urls(text, found);
    find_data_source_names(text, found);
    find_tokens(text, found);
    find_assignments(text, found);
}

void find_in_value(std::string_view name, std::string_view value, Secrets& found) {
    if (is_credential_name(name)) {
        add(value, found);
        if (is_header(name, value)) find_in_header(value, found);
    }
    const std::size_t before = found.size();
    find_in_text(value, found);
    // A connection string is a secret by the one in it.
    const bool has_one = std::ranges::any_of(found, [&](const auto& each) {
        return each.second == SecretKind::secret && each.first.size() < value.size() &&
               value.find(each.first) != npos;
    });
    if (found.size() > before && has_one) add_secret(found, value, SecretKind::secret);
    add_secret(found, value, SecretKind::environment);
}

namespace {

// The texts between quotes and those behind '=' or ':' of each line.
void find_fields(std::string_view content, Secrets& found) {
    const auto note = [&](std::string_view value) {
        while (!value.empty() && is_space(value.front())) value.remove_prefix(1);
        while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
        // A word of a file is no reason to hide a part of a path.
        add_secret(found, value,
                   value.size() >= 8 && !is_path_like(value) ? SecretKind::secret : SecretKind::environment);
    };
    for (std::string_view rest = content; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (const std::size_t equals = line.find_first_of("=:");
            equals != npos && !line.substr(equals).starts_with("://"))
            note(line.substr(equals + 1));
        // .pgpass: host:port:database:user:password
        if (std::ranges::count(line, ':') == 4 && line.find("://") == npos && line.find('{') == npos)
            note(line.substr(line.rfind(':') + 1));
        // .netrc: machine h login u password p
        for (std::size_t at = line.find("password "); at != npos; at = line.find("password ", at + 1))
            note(line.substr(at + 9, line.find(' ', at + 9) - at - 9));
    }
    for (std::size_t at = content.find('"'); at != npos; at = content.find('"', at + 1)) {
        std::string plain;
        const std::string_view raw = quoted(content.substr(at), "\"", plain);
        at += raw.size() + 1;
        const std::size_t next = content.find_first_not_of(" \t\r\n", std::min(at + 1, content.size()));
        if (next != npos && content[next] == ':') continue;  // a name
        note(raw), note(plain);
        // docker's own configuration: {"auths": {"host": {"auth": "dXNlcjpwYXNz"}}}
        if (const auto decoded = from_base64(plain);
            decoded && plain.size() >= 8 && decoded->find(':') != npos &&
            std::ranges::all_of(*decoded, [](char c) { return c >= 0x20 && c < 0x7f; }))
            add_user_information(*decoded, found);
    }
}

}  // namespace

void find_in_secret(std::string_view content, Secrets& found) {
    std::string_view core = content;
    while (!core.empty() && is_space(core.back())) core.remove_suffix(1);
    while (!core.empty() && is_space(core.front())) core.remove_prefix(1);
    // A user's name, a setting or a path among the secrets is no reason to hide what it is a part of.
    const bool says_nothing = is_no_value(core) || is_path_like(core);
    const SecretKind kind = says_nothing ? SecretKind::environment : SecretKind::secret;
    add_secret(found, content, kind);
    add_secret(found, core, kind);
    find_in_text(content, found);
    if ((core.find_first_of("\n\"=:") != npos || core.find("password ") != npos) &&
        core.find("-----BEGIN") == npos)
        find_fields(content, found);
}

}  // namespace rogate::secrets
