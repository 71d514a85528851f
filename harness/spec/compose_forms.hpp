// The long forms within a Compose file: which keys each may have and of what kind they are, so that nothing
// that is written there is passed over. A test holds the table against the schema of the specification.
#pragma once

#include <span>
#include <string_view>

#include "spec/fields.hpp"

namespace rogate::spec {

enum class FormKind { text, flag, texts, any };  // texts: a list of texts, or one text

struct FormKey {
    std::string_view name;
    FormKind kind = FormKind::any;
};

struct ComposeForm {
    std::string_view schema;  // JSON pointer to the object whose "properties" are these keys
    std::span<const FormKey> keys;
};

// One per long form that is checked here; 'healthcheck' and 'volumes' are read by readers that know their
// keys.
namespace forms {
extern const ComposeForm build, depends_on, extends, env_file, network_of_service, port, ulimit, grant,
    network, volume, secret, config, include;
std::span<const ComposeForm* const> all();
}  // namespace forms

// Reports keys that `form` does not have and values of another kind. Something else than a mapping is left to
// its reader. `where` names it in messages: "a port of service 'web'".
void check_form(const Value& value, const ComposeForm& form, const std::string& where,
                const Context& context);

// The long forms of one service, after merging.
void check_service_forms(const Value& service, const std::string& where, const Context& context);

// Those at the top of one file: networks, volumes, secrets, configs.
void check_top_forms(const Value& root, const Context& context);

}  // namespace rogate::spec
