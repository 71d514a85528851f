#include "campaign/harden.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/host_network.hpp>

#include "base/capabilities.hpp"
#include "verdict/doubt.hpp"

namespace rogate::campaign {

using engine::Task;

namespace {

bool forbids_privileges(const std::vector<std::string>& security_opt) {
    return std::ranges::any_of(security_opt, [](const std::string& option) {
        return option == "no-new-privileges" || option == "no-new-privileges:true" ||
               option == "no-new-privileges=true";
    });
}

}  // namespace

bool is_hardened(const Scenario& scenario) {
    return scenario.tries_capabilities || scenario.tries_no_new_privileges;
}

void ask_for_ports_as_on_nodes(Scenario& scenario, Status& status) {
    if (!is_hardened(scenario)) return;
    bool any = false;
    const auto ask = [&](Subject& subject) {
        if (subject.origin.kind != Origin::Kind::kubernetes) return;
        rogate::ask_for_ports_as_on_hosts(subject);
        any = true;
    };
    ask(scenario.subject);
    for (Member& member : scenario.members) ask(member.subject);
    if (any)
        status.warn(
            "in the runs, ports below 1024 need NET_BIND_SERVICE and ping needs NET_RAW, as in pods of CRI-O "
            "and containerd 1; where your nodes let everybody have them, say so in the sysctls of the pod's "
            "securityContext");
}

Result<verdict::CapabilityQuestion> capability_question(const Scenario& scenario, bool by_podman) {
    const Subject& subject = scenario.subject;
    verdict::CapabilityQuestion question;
    if (!is_hardened(scenario)) return question;
    if (!scenario.members.empty())
        return fail(ErrorKind::usage,
                    "capabilities are settled for one service at a time: give --one-by-one as well");
    if (subject.privileged)
        return fail(ErrorKind::usage,
                    "the subject is privileged, so that it has every capability and every device, whatever "
                    "is dropped; "
                    "give it what it needs in place of 'privileged', or leave out --capabilities");
    auto configured = capabilities_with(default_capabilities(by_podman), subject.cap_add, subject.cap_drop);
    if (!configured) return fail(std::move(configured.error()));
    question.configured = std::move(*configured);
    question.tries_capabilities = scenario.tries_capabilities;
    question.tries_no_new_privileges =
        scenario.tries_no_new_privileges && !forbids_privileges(subject.security_opt);
    return question;
}

Task<> harden(Tries& tries, Budget* budget, verdict::CapabilityQuestion question,
              const std::vector<RunRecord>& plans, CampaignResult& result, Status& status,
              bool* interrupted) {
    question.mounts = result.recommendation;
    question.doubt = verdict::doubt_of_data(result.data_differences);
    question.stopped = result.stopped;
    std::vector<RunRecord> configured, tried;
    for (const RunRecord& plan : plans) {
        if (plan.plan.environment.empty()) configured.push_back(plan);
        const auto verifying = result.recommendation.verified_by_run;
        if (verifying && (plan.plan.id == *verifying || plan.plan.repeats == verifying))
            question.verified.push_back(plan);
    }
    for (;;) {
        std::optional<RunPlan> wanted = verdict::next_capability_run(question, configured, tried);
        if (!wanted) break;
        const int at_most = tries.at_most();
        if (budget != nullptr) question.stopped = budget->refusal(at_most);
        if (!question.stopped.empty()) {
            status.warn(question.stopped + ": what is not settled is inconclusive");
            break;
        }
        const std::size_t runs_before = result.runs.size();
        if (budget != nullptr) budget->take(at_most);
        Task<RunRecord> launching = tries.launch(std::move(*wanted));
        if (budget != nullptr) launching = budget->within(std::move(launching), interrupted);
        auto record = co_await std::move(launching);
        if (budget != nullptr)
            budget->give_back(at_most - static_cast<int>(result.runs.size() - runs_before));
        if (*interrupted) {
            // Part of the tries is no evidence.
            result.runs.erase(result.runs.begin() + static_cast<std::ptrdiff_t>(runs_before),
                              result.runs.end());
            question.stopped = budget->refusal(1);
            status.warn(question.stopped + ": what is not settled is inconclusive");
            break;
        }
        if (!record) co_return fail(std::move(record.error()));
        tried.push_back(std::move(*record));
    }
    result.stopped = question.stopped;
    verdict::CapabilityConclusion concluded = verdict::conclude_capabilities(question, configured, tried);
    result.capabilities = std::move(concluded.results);
    result.recommendation = std::move(concluded.recommendation);
    for (CapabilityResult& each : result.capabilities) {
        std::vector<int> all;
        for (const int id : each.runs)
            for (const int one : tries.behind(id)) all.push_back(one);
        each.runs = std::move(all);
    }
    co_return Result<>{};
}

}  // namespace rogate::campaign
