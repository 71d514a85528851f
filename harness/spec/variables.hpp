// `vars`, --set and ${{ name }}: what is known when the file is read is put in then; what a step captures
// stays a reference for the run.
#pragma once

#include "spec/fields.hpp"

namespace rogate::spec {

struct Substituted {
    ValuePtr root;
    std::map<std::string, std::string> variables;  // declared in `vars`, or given by --set and referred to
};

// `root` without `vars`, with the references in every value (not in keys) replaced. Inside `steps` a
// reference to what an earlier step captures stays, and so does "$${{", since the run resolves them.
Substituted with_variables(const Value& root, const Context& context);

}  // namespace rogate::spec
