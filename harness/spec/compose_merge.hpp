// How Compose files are laid over each other, and a service over the one that it extends. Pure.
#pragma once

#include <string_view>

#include "spec/yaml_reader.hpp"

namespace rogate::spec {

// The value of `key`; null if there is none, or it is empty.
ValuePtr value_of(const Value& mapping, std::string_view key);

// `model` with every short form of its services in the form in which two files can be merged: lists of
// NAME=value as mappings, single texts as lists of one.
ValuePtr in_mergeable_form(const ValuePtr& model);

// `over` wins. Mappings are merged, lists appended without repeats (volumes go by their target), but command,
// entrypoint and a health check's test are replaced; !reset takes a value away, !override replaces it whole.
ValuePtr merge_models(const ValuePtr& base, const ValuePtr& over);
ValuePtr merge_services(const ValuePtr& base, const ValuePtr& over);

}  // namespace rogate::spec
