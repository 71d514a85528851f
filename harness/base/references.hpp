// References to variables inside texts: ${{ name }}. "$${{" stands for "${{" itself. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rogate {

// What a reference stands for; nothing: the reference stays as it is written.
using VariableLookup = std::function<std::optional<std::string>(const std::string& name)>;

enum class Escapes {
    keep,    // for a text that is gone through again
    resolve  // "$${{" becomes "${{"
};

std::string replace_references(std::string_view text, const VariableLookup& lookup, Escapes escapes);

// The names, in order, each as often as it is there.
std::vector<std::string> references_in(std::string_view text);

// The text is one reference and nothing else.
bool is_one_reference(std::string_view text);

// The first "${{ …" that is no reference, as it is written; empty: there is none.
std::string broken_reference(std::string_view text);

// `text` in a form that replace_references() gives back unchanged.
std::string without_references(std::string_view text);

// Letters, digits and '_', not beginning with a digit.
bool is_variable_name(std::string_view name);

}  // namespace rogate
