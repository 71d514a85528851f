// The head of an HTTP/1 request or reply: all that a proxy looks at before it passes bytes. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <rogate/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::proxy {

struct Field {
    std::string name, value;
    bool operator==(const Field&) const = default;
};

struct Head {
    std::string first;  // "POST /v1.41/containers/create?name=web HTTP/1.1", "HTTP/1.1 201 Created"
    std::vector<Field> fields;

    // Of a request; empty if the first line has too few words.
    std::string_view method() const;
    std::string_view target() const;
    // Of a reply; 0 if the first line is none of a reply's.
    int status() const;
    // Names are found in any case of their letters; null: there is none.
    const std::string* find(std::string_view name) const;
    void set(std::string name, std::string value);  // in place of all of that name
    void remove(std::string_view name);
    bool operator==(const Head&) const = default;
};

// A head that is longer is none.
inline constexpr std::size_t longest_head = 256 * 1024;

// How many bytes the head takes with the empty line that ends it; nullopt: its end is not there yet.
std::optional<std::size_t> head_size(std::string_view bytes);
// ErrorKind::protocol for what is no head. `bytes` end with its empty line.
Result<Head> read_head(std::string_view bytes);
std::string to_text(const Head& head);

// It asks for, or is, another protocol on the same connection.
bool is_upgrade(const Head& head);
bool is_chunked(const Head& head);
// nullopt: not said, or no number.
std::optional<std::uint64_t> content_length(const Head& head);

// Takes chunks apart as they come.
class Unchunker {
  public:
    // Not chunked: everything is content, until the connection ends.
    explicit Unchunker(bool is_chunked) : is_chunked_(is_chunked) {}
    // Moves what is content from `bytes` to `content`, and drops sizes; what is not whole yet stays.
    // ErrorKind::protocol for chunks that are none.
    Result<> take(std::string& bytes, std::string& content);
    bool is_over() const { return is_over_; }

  private:
    bool is_chunked_, is_over_ = false;
    std::uint64_t left_ = 0;        // of this chunk
    bool is_behind_chunk_ = false;  // its line's end follows
};

// The body that `bytes` begin with, as `head` says: all of it, or nullopt as long as it is not whole.
// `is_reply`: a body whose length is not said ends with the connection, whose end `at_end` says has come.
// ErrorKind::protocol for chunks that are none.
Result<std::optional<std::string>> whole_body(const Head& head, std::string_view bytes, bool is_reply,
                                              bool at_end);

}  // namespace rogate::proxy
