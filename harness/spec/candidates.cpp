#include "spec/candidates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <rogate/place.hpp>
#include <set>

#include "spec/nearest_name.hpp"
#include "spec/system.hpp"

namespace rogate::spec {

std::string name_of_subject(const Scenario& scenario) {
    switch (scenario.subject.origin.kind) {
        case Origin::Kind::compose:
        case Origin::Kind::kubernetes:
            return subject_name(scenario);
        case Origin::Kind::container:
            return scenario.subject.origin.name;
        case Origin::Kind::scenario:
        case Origin::Kind::docker_run:
            break;
    }
    return {};
}

namespace {

bool is_called(const std::string& asked, const std::string& name) {
    return asked == name || name.ends_with("/" + asked);
}

std::string written(const AskedCandidate& asked) {
    const std::string place = place_in(asked.container, asked.target);
    return asked.at.line > 0 ? fmt::format("{}:{}:{}: candidate {}", asked.at.file, asked.at.line,
                                           asked.at.column, in_quotes(place))
                             : fmt::format("--candidate {}", place);
}

class Narrowing {
  public:
    Narrowing(std::vector<Result<Input>>& inputs, const std::vector<AskedCandidate>& asked) : asked_(asked) {
        for (auto& input : inputs)
            if (input) inputs_.push_back(&*input);
        are_all_ = inputs_.size() == inputs.size();
        for (const Input* input : inputs_) {
            scenarios_ += input->scenarios.size();
            for (const SystemContainer& each : input->system.containers) names_.insert(each.name);
            names_.insert(input->containers.begin(), input->containers.end());
        }
    }

    Result<> go() {
        for (const AskedCandidate& each : asked_)
            if (auto known = check(each); !known) return known;
        for (Input* input : inputs_) narrow(*input);
        return {};
    }

  private:
    // Its whole name, or the end of it where nothing else is called so.
    bool is_meant(const std::string& asked, const std::string& name) const {
        return names_.contains(asked) ? asked == name : is_called(asked, name);
    }
    Result<> check(const AskedCandidate& asked) const;
    void narrow(Input& input) const;
    bool narrow(const std::string& container, Scenario& scenario) const;
    void note_undeclared(const AskedCandidate& asked, Input& input) const;

    const std::vector<AskedCandidate>& asked_;
    std::vector<Input*> inputs_;
    std::set<std::string> names_;
    std::size_t scenarios_ = 0;
    bool are_all_ = false;
};

Result<> Narrowing::check(const AskedCandidate& asked) const {
    if (asked.container.empty()) return {};
    std::vector<std::string> tried, beside;
    bool is_refused = false;
    for (const Input* input : inputs_) {
        std::ranges::copy_if(input->containers, std::back_inserter(tried),
                             [](const std::string& name) { return !name.empty(); });
        for (const SystemContainer& each : input->system.containers) beside.push_back(each.name);
        for (const NotRun& each : input->system.refused)
            is_refused = is_refused || is_called(asked.container, each.container);
    }
    const auto called = [&](const std::string& name) { return is_meant(asked.container, name); };
    const auto count = std::ranges::count_if(tried, called);
    const bool is_exact = std::ranges::find(tried, asked.container) != tried.end();
    // What is refused, and what cannot be read, is told with its reason.
    if (is_exact || count == 1 || (count == 0 && (is_refused || !are_all_))) return {};
    if (count > 1) {
        std::vector<std::string> names;
        std::ranges::copy_if(tried, std::back_inserter(names), called);
        return fail(ErrorKind::usage,
                    fmt::format("{}: several containers are called {}; name one of them: {}", written(asked),
                                in_quotes(asked.container), fmt::join(names, ", ")));
    }
    if (std::ranges::any_of(beside, called))
        return fail(ErrorKind::usage,
                    fmt::format("{}: container {} is not among those whose mounts are tried ({})",
                                written(asked), in_quotes(asked.container), fmt::join(tried, ", ")));
    if (tried.empty())
        return fail(ErrorKind::usage,
                    fmt::format("{}: the subject has no name; write its target alone", written(asked)));
    const std::vector<std::string_view> known(tried.begin(), tried.end());
    return fail(ErrorKind::usage,
                fmt::format("{}: there is no container {}; {}", written(asked), in_quotes(asked.container),
                            suggestion(asked.container, known)));
}

// Whether any is of it.
bool Narrowing::narrow(const std::string& container, Scenario& scenario) const {
    std::vector<std::string> candidates;
    std::map<std::string, NamedCandidate> named;
    for (const AskedCandidate& each : asked_) {
        if (!each.container.empty() && !is_meant(each.container, container)) continue;
        const bool if_there = each.container.empty() && scenarios_ > 1;
        const auto [known, fresh] = named.try_emplace(each.target, NamedCandidate{each.at, if_there});
        if (fresh)
            candidates.push_back(each.target);
        else
            known->second.if_there = known->second.if_there && if_there;
    }
    const bool any = !candidates.empty();
    scenario.candidates = std::move(candidates);
    scenario.named_candidates = std::move(named);
    return any;
}

void Narrowing::note_undeclared(const AskedCandidate& asked, Input& input) const {
    const bool is_declared = std::ranges::any_of(input.system.data, [&](const SystemData& data) {
        return std::ranges::any_of(data.places, [&](const DataPlace& place) {
            return place.target == asked.target &&
                   (asked.container.empty() || is_meant(asked.container, place.container));
        });
    });
    if (is_declared) return;
    const bool is_of_it = asked.container.empty() ||
                          std::ranges::any_of(input.system.containers, [&](const SystemContainer& each) {
                              return is_meant(asked.container, each.name);
                          });
    if (is_of_it)
        input.system.notes.push_back(
            fmt::format("{}: no file declares such a mount; unless {} image declares it as a volume, the run "
                        "ends with an error",
                        written(asked), asked.container.empty() ? "an" : "the"));
}

void Narrowing::narrow(Input& input) const {
    if (input.own_exercise)
        for (const AskedCandidate& each : asked_) note_undeclared(each, input);
    std::vector<Scenario> kept;
    std::vector<std::string> containers, candidates;
    std::map<std::string, NamedCandidate> named;
    for (std::size_t i = 0; i < input.scenarios.size(); ++i) {
        Scenario& scenario = input.scenarios[i];
        const std::string& container = input.containers.at(i);
        const bool is_tried = narrow(container, scenario);
        if (input.together)
            for (Member& member : input.together->members)
                if (member.name == container) member.tried = is_tried;
        if (!is_tried) continue;
        for (const auto& [target, candidate] : scenario.named_candidates) {
            const std::string place = candidate.if_there ? target : place_in(container, target);
            if (named.emplace(place, candidate).second) candidates.push_back(place);
        }
        kept.push_back(std::move(scenario));
        containers.push_back(container);
    }
    input.scenarios = std::move(kept);
    input.containers = std::move(containers);
    if (input.scenarios.empty()) input.together.reset();
    if (!input.together) return;
    input.together->candidates = std::move(candidates);
    input.together->named_candidates = std::move(named);
}

}  // namespace

Parsed<AskedCandidate> parse_candidate(std::string_view text) {
    AskedCandidate asked;
    asked.container = container_of(text);
    auto target = parse_container_path(rogate::path_in(text));
    if (!target) return tl::unexpected(std::move(target.error()));
    asked.target = std::move(*target);
    return asked;
}

std::vector<AskedCandidate> read_asked_candidates(const Value& value, const Context& context) {
    std::vector<AskedCandidate> asked;
    if (value.kind != Value::Kind::sequence || value.items.empty()) {
        context.problem(
            value,
            "'candidates' is not a list of targets; write for example [/data, /], or leave it out "
            "for every writable mount");
        return asked;
    }
    for (const ValuePtr& item : value.items) {
        // It may be declared by the image's VOLUME, so whether it is a mount shows only once the image is
        // known.
        auto each = read_notation(*item, "a candidate", context, parse_candidate);
        if (!each) continue;
        each->at = context.declared(item->place);
        asked.push_back(std::move(*each));
    }
    return asked;
}

std::string not_of_subject(const Scenario& scenario, const std::string& container) {
    if (container.empty()) return {};
    const std::string subject = name_of_subject(scenario);
    if (subject.empty())
        return fmt::format(
            "a candidate names container {}, and this subject has no name; write the target "
            "alone",
            in_quotes(container));
    if (is_called(container, subject)) return {};
    const auto is_there = [&](const auto& others) {
        return std::ranges::any_of(others, [&](const auto& each) { return is_called(container, each.name); });
    };
    if (is_there(scenario.companions) || is_there(scenario.pod.containers))
        return fmt::format(
            "container {} stands beside the subject, which alone has mounts that are tried; "
            "the subject is {}",
            in_quotes(container), in_quotes(subject));
    std::vector<std::string_view> known{subject};
    for (const Companion& each : scenario.companions) known.push_back(each.name);
    for (const PodContainer& each : scenario.pod.containers) known.push_back(each.name);
    return fmt::format("there is no container {}; {}", in_quotes(container), suggestion(container, known));
}

Result<> try_only(std::vector<Result<Input>>& inputs, const std::vector<AskedCandidate>& asked) {
    return asked.empty() ? Result<>{} : Narrowing(inputs, asked).go();
}

}  // namespace rogate::spec
