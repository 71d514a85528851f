#include "gate/verdicts.hpp"

#include <array>
#include <rogate/names.hpp>

namespace rogate::gate {

namespace {

constexpr std::array all = {Verdict::safe,       Verdict::tolerated,   Verdict::split,
                            Verdict::required,   Verdict::untested,    Verdict::ineffective,
                            Verdict::already_ro, Verdict::inconclusive};

}  // namespace

std::optional<Verdict> verdict_from(std::string_view name) {
    for (const Verdict verdict : all)
        if (to_string(verdict) == name) return verdict;
    return std::nullopt;
}

std::span<const std::string_view> verdict_names() {
    static const auto names = [] {
        std::array<std::string_view, all.size()> list;
        for (std::size_t i = 0; i < all.size(); ++i) list[i] = to_string(all[i]);
        return list;
    }();
    return names;
}

std::optional<int> need(Verdict verdict) {
    switch (verdict) {
        case Verdict::safe:
        case Verdict::already_ro:
            return 0;
        case Verdict::tolerated:
            return 1;
        case Verdict::split:
            return 2;
        case Verdict::required:
            return 3;
        case Verdict::untested:
        case Verdict::ineffective:
        case Verdict::inconclusive:
            break;
    }
    return std::nullopt;
}

}  // namespace rogate::gate
