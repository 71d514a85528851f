#pragma once

#include <string_view>

/// Whether the system calls of a container are made to the engine's own kernel. A runtime that gives its
/// containers a kernel of their own (gVisor's runsc, Kata) keeps these calls from it: an observer on the
/// engine's host would see nothing, and take that for no writes. Only runtimes that are known count. Pure.
namespace rogate::observe {

/// The runtime's name as the container has it ("runc", "io.containerd.kata.v2"), and the program that the
/// engine has for it (GET /info, Runtimes), which decides if there is one: a name can stand for anything.
bool shares_kernel(std::string_view runtime, std::string_view program);

}  // namespace rogate::observe
