// Delta debugging: the largest set that can be found of things that pass together. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rogate::verdict {

// Whether this set passes; nullopt: not tried yet.
using PassesTogether = std::function<std::optional<bool>(const std::vector<std::string>&)>;

struct Grown {
    std::vector<std::string>
        passing;  // grown from `good`; nothing of `rest` that is left out can be added to it
    std::optional<std::vector<std::string>> try_next;  // what has to be tried before there is an answer
};

// `good` passes. Adds as much of `rest` as passes with it, halving what fails (Zeller and Hildebrandt,
// "Simplifying and isolating failure-inducing input", 2002, turned around: the set grows instead of
// shrinking), so that k troublemakers among n cost about k * log2(n) tries. Elements keep the order of
// `order`.
Grown grow(std::vector<std::string> good, const std::vector<std::string>& rest,
           const std::vector<std::string>& order, const PassesTogether& passes);

}  // namespace rogate::verdict
