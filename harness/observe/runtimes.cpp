#include "observe/runtimes.hpp"

#include <algorithm>

namespace rogate::observe {

bool shares_kernel(std::string_view runtime, std::string_view program) {
    // nvidia's and sysbox's prepare a container for runc.
    static constexpr std::string_view known[] = {"runc",
                                                 "crun",
                                                 "youki",
                                                 "sysbox-runc",
                                                 "nvidia-container-runtime",
                                                 "nvidia-container-runtime.cdi",
                                                 "nvidia-container-runtime.legacy",
                                                 "docker-runc",
                                                 "io.containerd.runc.v1",
                                                 "io.containerd.runc.v2",
                                                 "io.containerd.runtime.v1.linux"};
    std::string_view name = program.empty() ? runtime : program;
    name.remove_prefix(std::min(name.find_last_of('/') + 1, name.size()));
    return std::ranges::find(known, name) != std::end(known);
}

}  // namespace rogate::observe
