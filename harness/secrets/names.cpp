#include "secrets/names.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace rogate::secrets {

namespace {

constexpr std::string_view whole_words[] = {"pw",   "pwd",    "psw",     "pass",   "auth",   "key",
                                            "keys", "token",  "tokens",  "salt",   "pepper", "dsn",
                                            "jwt",  "otp",    "totp",    "cookie", "bearer", "webhook",
                                            "sig",  "passin", "passout", "creds",  "cred",   "pat"};

// At the end of a word, as in PGPASSWORD, requirepass, masterauth, authtoken.
constexpr std::string_view endings[] = {"password",   "passwords",   "passwd",  "passphrase",    "passcode",
                                        "pass",       "secret",      "secrets", "token",         "tokens",
                                        "credential", "credentials", "apikey",  "accesskey",     "secretkey",
                                        "privatekey", "auth",        "pwd",     "authorization", "signature"};

// What stands behind it makes it something else than the credential itself.
constexpr std::string_view about_it[] = {
    "file",       "files",    "path",     "paths",    "dir",      "directory", "folder",   "url",
    "uri",        "endpoint", "host",     "hostname", "port",     "ttl",       "expiry",   "expires",
    "expiration", "expire",   "timeout",  "lifetime", "length",   "size",      "type",     "algorithm",
    "alg",        "user",     "username", "enabled",  "enable",   "disabled",  "required", "count",
    "policy",     "mode",     "method",   "methods",  "provider", "store",     "stdin",    "age",
    "rotation",   "plugin",   "backend",  "format",   "prompt",   "location",  "mount",    "volume",
    "driver",     "engine",   "scope",    "scopes",   "name",     "names",     "space",    "spaces",
    "encryption", "hasher",   "version",  "min",      "max"};

// What stands before it makes it a switch.
constexpr std::string_view switches[] = {"no",     "skip",   "allow", "require", "without", "ask",
                                         "prompt", "public", "pub",   "primary", "foreign", "sort"};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

// "dbPassword", "DB_PASSWORD" and "--db-password" -> db, password.
std::vector<std::string> words_of(std::string_view name) {
    std::vector<std::string> words;
    bool begun = false;
    char before = 0;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) == 0) {
            begun = false;
        } else {
            if (!begun || (std::isupper(byte) != 0 && std::islower(static_cast<unsigned char>(before)) != 0))
                words.emplace_back();
            words.back() += static_cast<char>(std::tolower(byte));
            begun = true;
        }
        before = c;
    }
    return words;
}

template <class List>
bool has(const List& list, std::string_view word) {
    return std::ranges::find(list, word) != std::end(list);
}

std::string_view without_digits(std::string_view word) {
    while (!word.empty() && std::isdigit(static_cast<unsigned char>(word.back())) != 0) word.remove_suffix(1);
    return word;
}

bool names_one(std::string_view word) {
    word = without_digits(word);
    if (has(whole_words, word)) return true;
    if (word == "bypass" || word == "compass" || word == "oldpwd") return false;
    return std::ranges::any_of(endings, [&](std::string_view end) { return word.ends_with(end); });
}

}  // namespace

bool is_credential_name(std::string_view name) {
    if (name == "PWD" || name == "OLDPWD" || name.size() > 128) return false;
    std::vector<std::string> words = words_of(name);
    // An access key's id goes along with its secret.
    if (words.size() > 2 && words.back() == "id") words.pop_back();
    if (words.empty() || has(about_it, without_digits(words.back())) || has(switches, words.front()))
        return false;
    // POSTGRESQL_POSTGRES_PASSWORD, but DB_PASSWORD_FILE_DEFAULT is looked at from its end.
    return std::ranges::any_of(words, [](const std::string& word) { return names_one(word); }) &&
           std::ranges::none_of(words,
                                [](const std::string& word) { return word == "file" || word == "path"; });
}

bool is_path_like(std::string_view value) {
    const bool begins = value.starts_with('/') || value.starts_with("./") || value.starts_with("../") ||
                        value.starts_with("~/");
    if (!begins || value.size() > 255 || value.find("//") != std::string_view::npos) return false;
    std::size_t in_component = 0, digits = 0, upper = 0;
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '/') {
            in_component = digits = upper = 0;
            continue;
        }
        if (std::isalnum(byte) == 0 && std::string_view("._-+@~ ").find(c) == std::string_view::npos)
            return false;
        ++in_component;
        digits += std::isdigit(byte) != 0 ? 1U : 0U;
        upper += std::isupper(byte) != 0 ? 1U : 0U;
        // Base64 may begin with a slash.
        if (in_component >= 16 && digits > 1 && upper > 1) return false;
    }
    return true;
}

bool is_no_value(std::string_view value) {
    constexpr std::string_view nothing[] = {"true",    "false",   "none",    "null",
                                            "default", "enabled", "disabled"};
    return has(nothing, lower(value)) || value.starts_with('$') || value.starts_with("<") || value == "***";
}

}  // namespace rogate::secrets
