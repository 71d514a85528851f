#include "campaign/steppers.hpp"

#include <fmt/format.h>

#include <rogate/names.hpp>
#include <rogate/place.hpp>
#include <utility>

namespace rogate::campaign {

namespace {

scenario::TmpfsByTarget mounts_of(const Bench& bench, const RunPlan& plan, const std::string& name) {
    scenario::TmpfsByTarget found;
    for (const DataMount& data : bench.data.mounts())
        if (data.mount.type != MountType::rootfs && container_of(data.mount.target) == name)
            found.emplace(path_in(data.mount.target), data.mount.type == MountType::tmpfs);
    for (const WritablePath& path : plan.writable)
        if (container_of(path.path) == name)
            found.insert_or_assign(std::string(path_in(path.path)), path.as == WritableAs::tmpfs);
    return found;
}

}  // namespace

scenario::StepRunner stepper(Bench& bench, const RunPlan& plan, scenario::Memory& memory, Asked asked,
                             std::vector<scenario::Place> places) {
    scenario::StepRunner made(
        bench.client, std::move(asked.container), memory,
        {.session = bench.session,
         .network = bench.network,
         .name = fmt::format("rogate-{}-run{}{}", bench.session, plan.id, asked.suffix),
         .relay = bench.relay},
        [&bench](std::vector<std::string> command) { return bench.observer.wrap_exec(std::move(command)); },
        std::move(asked.published_by));
    made.know_mounts(mounts_of(bench, plan, asked.name));
    made.know_places(std::move(places), {plan.id, std::string(to_string(plan.kind))});
    return made;
}

}  // namespace rogate::campaign
