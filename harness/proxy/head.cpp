#include "proxy/head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace rogate::proxy {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

// The n-th of the words that single spaces part.
std::string_view word(std::string_view line, int n) {
    for (; n > 0; --n) {
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos) return {};
        line.remove_prefix(space + 1);
    }
    return line.substr(0, line.find(' '));
}

// Of a list with commas between its items.
bool lists(const std::string* value, std::string_view item) {
    if (value == nullptr) return false;
    for (std::string_view rest = *value;;) {
        const std::size_t comma = rest.find(',');
        if (same_word(trimmed(rest.substr(0, comma)), item)) return true;
        if (comma == std::string_view::npos) return false;
        rest.remove_prefix(comma + 1);
    }
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

}  // namespace

std::string_view Head::method() const {
    return word(first, 0);
}

std::string_view Head::target() const {
    return word(first, 1);
}

int Head::status() const {
    if (!first.starts_with("HTTP/")) return 0;
    const auto status = number(word(first, 1));
    return status && *status < 1000 ? static_cast<int>(*status) : 0;
}

const std::string* Head::find(std::string_view name) const {
    const auto at =
        std::ranges::find_if(fields, [&](const Field& each) { return same_word(each.name, name); });
    return at == fields.end() ? nullptr : &at->value;
}

void Head::remove(std::string_view name) {
    std::erase_if(fields, [&](const Field& each) { return same_word(each.name, name); });
}

void Head::set(std::string name, std::string value) {
    remove(name);
    fields.push_back({std::move(name), std::move(value)});
}

std::optional<std::size_t> head_size(std::string_view bytes) {
    // Go's server takes lines that end without a carriage return, too.
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n', end + 1)) {
        if (bytes.substr(end + 1, 1) == "\n") return end + 2;
        if (bytes.substr(end + 1, 2) == "\r\n") return end + 3;
    }
    return std::nullopt;
}

Result<Head> read_head(std::string_view bytes) {
    Head head;
    bool is_first = true;
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        std::string_view line = bytes.substr(0, end);
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) break;
        if (is_first) {
            head.first = line;
            is_first = false;
            continue;
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0)
            return fail(ErrorKind::protocol, fmt::format("a line of a head is no field: {}", line));
        head.fields.push_back(
            {std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
    }
    if (head.status() == 0 && !word(head.first, 2).starts_with("HTTP/"))
        return fail(ErrorKind::protocol,
                    fmt::format("neither a request nor a reply of HTTP/1 begins with '{}'", head.first));
    return head;
}

std::string to_text(const Head& head) {
    std::string text = head.first + "\r\n";
    for (const Field& each : head.fields) text += each.name + ": " + each.value + "\r\n";
    return text + "\r\n";
}

bool is_upgrade(const Head& head) {
    return head.find("Upgrade") != nullptr && lists(head.find("Connection"), "upgrade");
}

bool is_chunked(const Head& head) {
    return lists(head.find("Transfer-Encoding"), "chunked");
}

std::optional<std::uint64_t> content_length(const Head& head) {
    const std::string* said = head.find("Content-Length");
    return said == nullptr ? std::nullopt : number(*said);
}

namespace {

Result<std::uint64_t> chunk_size(std::string_view line) {
    const std::string_view digits = trimmed(line.substr(0, line.find(';')));
    std::uint64_t size = 0;
    const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (error != std::errc() || last != digits.data() + digits.size() || digits.empty())
        return fail(ErrorKind::protocol, fmt::format("a chunk's size is no number: {}", digits));
    return size;
}

// Chunks with their sizes taken out; nullopt: the last one is not there yet. Trailers are dropped.
Result<std::optional<std::string>> unchunked(std::string_view bytes) {
    std::string body;
    for (;;) {
        const std::size_t end = bytes.find("\r\n");
        if (end == std::string_view::npos) return std::nullopt;
        const auto told = chunk_size(bytes.substr(0, end));
        if (!told) return fail(told.error().kind, told.error().message);
        const std::uint64_t size = *told;
        bytes.remove_prefix(end + 2);
        if (size == 0) return std::optional(std::move(body));
        if (bytes.size() < 2 || size > bytes.size() - 2) return std::nullopt;
        body += bytes.substr(0, size);
        bytes.remove_prefix(size + 2);
    }
}

}  // namespace

Result<> Unchunker::take(std::string& bytes, std::string& content) {
    if (!is_chunked_) {
        content += bytes;
        bytes.clear();
        return {};
    }
    while (!is_over_) {
        if (left_ > 0) {
            const std::size_t size = std::min<std::uint64_t>(left_, bytes.size());
            content.append(bytes, 0, size);
            bytes.erase(0, size);
            left_ -= size;
            if (left_ > 0) break;
            is_behind_chunk_ = true;
        }
        if (is_behind_chunk_) {
            if (bytes.size() < 2) break;
            bytes.erase(0, 2);
            is_behind_chunk_ = false;
        }
        const std::size_t end = bytes.find("\r\n");
        if (end == std::string::npos) break;
        const auto size = chunk_size(std::string_view(bytes).substr(0, end));
        if (!size) return fail(size.error().kind, size.error().message);
        bytes.erase(0, end + 2);
        left_ = *size;
        is_over_ = *size == 0;
    }
    return {};
}

Result<std::optional<std::string>> whole_body(const Head& head, std::string_view bytes, bool is_reply,
                                              bool at_end) {
    if (is_chunked(head)) return unchunked(bytes);
    const auto length = content_length(head);
    if (length && *length > bytes.size()) return std::nullopt;
    if (length) return std::optional(std::string(bytes.substr(0, *length)));
    const int status = head.status();
    if (!is_reply || status == 204 || status == 304) return std::optional(std::string());
    if (!at_end) return std::nullopt;
    return std::optional(std::string(bytes));
}

}  // namespace rogate::proxy
