// What a scenario brings along: local files and folders, texts, forms, fixtures.
#pragma once

#include <rogate/scenario.hpp>

#include "spec/fields.hpp"

namespace rogate::spec {

// The absolute path of a local file or folder that is there; a problem if not. Relative ones start at the
// scenario file's folder.
std::optional<std::string> read_local_path(const Value& value, std::string_view what, const Context& context);

// The bytes of the local file that `value` names.
std::optional<std::string> read_local_file(const Value& value, std::string_view what, const Context& context);

std::optional<std::uint32_t> read_mode_bits(const Mapping& mapping, std::string_view key,
                                            const Context& context);

std::vector<FormField> read_form(const Value& value, const std::string& where, const Context& context);
// {to: /path, from: ./file} or {to: /path, text: "…"}; `where`: "'copy' of step 'x'".
Load read_load(const Value& value, const std::string& where, const Context& context);
std::vector<Fixture> read_fixtures(const Value& value, const std::vector<Mount>& mounts,
                                   const Context& context);

}  // namespace rogate::spec
