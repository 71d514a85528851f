// Reading of Kubernetes objects: which fields are read, which do not matter here, and that the rest is
// refused.
#pragma once

#include <vector>

#include "spec/fields.hpp"

namespace rogate::spec {

// An object of a manifest. As in Kubernetes, a field whose value is null is absent.
class KubeObject {
  public:
    using Names = std::vector<std::string_view>;
    // A field that is neither `read` nor `harmless` is a problem. `where` names the object: "container
    // 'web'".
    KubeObject(const Value& value, std::string where, const Names& read, const Names& harmless,
               const Context& context);

    const Value& value() const { return value_; }
    const std::string& where() const { return where_; }
    const Value* get(std::string_view key) const;
    std::optional<std::string> text(std::string_view key) const;
    std::optional<std::int64_t> integer(std::string_view key, std::int64_t min, std::int64_t max) const;
    bool flag(std::string_view key, bool otherwise = false) const;
    std::vector<std::string> texts(std::string_view key) const;
    std::vector<ValuePtr> list(std::string_view key) const;
    // The field is allowed with the value false only; `why` says what it would mean.
    void refuse_if_set(std::string_view key, std::string_view why) const;

  private:
    const Value& value_;
    std::string where_;
    const Context& context_;
};

// A field of any object, unchecked; null when it is absent, or null in the file.
const Value* kube_field(const Value& object, std::string_view key);
std::string kube_text(const Value& object, std::string_view key);  // empty when it is no text

// "64Mi", "1G", "500" -> bytes.
Parsed<std::int64_t> parse_quantity(std::string_view text);
// "0644", "0o644" or 420.
Parsed<std::uint32_t> parse_file_mode(std::string_view text);
Parsed<std::string> decode_base64(std::string_view text);
// A relative path without "..", as in subPath and the paths of keys.
Parsed<std::string> parse_sub_path(std::string_view text);

}  // namespace rogate::spec
