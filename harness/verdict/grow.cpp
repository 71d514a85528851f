#include "verdict/grow.hpp"

#include <algorithm>

namespace rogate::verdict {

namespace {

using Names = std::vector<std::string>;

class Grower {
  public:
    Grower(Names good, const Names& order, const PassesTogether& passes)
        : order_(order), passes_(passes), grown_{.passing = std::move(good), .try_next = {}} {}

    void add(const Names& rest);
    Grown take() { return std::move(grown_); }

  private:
    Names with(const Names& more) const;

    const Names& order_;
    const PassesTogether& passes_;
    Grown grown_;
};

Names Grower::with(const Names& more) const {
    Names together;
    const auto in = [](const Names& names, const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const std::string& name : order_)
        if (in(grown_.passing, name) || in(more, name)) together.push_back(name);
    return together;
}

void Grower::add(const Names& rest) {
    if (rest.empty() || grown_.try_next) return;
    Names together = with(rest);
    const std::optional<bool> passed = passes_(together);
    if (!passed) {
        grown_.try_next = std::move(together);
        return;
    }
    if (*passed) {
        grown_.passing = std::move(together);
        return;
    }
    if (rest.size() == 1) return;
    const auto middle = rest.begin() + static_cast<std::ptrdiff_t>(rest.size() / 2);
    add(Names(rest.begin(), middle));
    add(Names(middle, rest.end()));
}

}  // namespace

Grown grow(Names good, const Names& rest, const Names& order, const PassesTogether& passes) {
    Grower grower(std::move(good), order, passes);
    grower.add(rest);
    return grower.take();
}

}  // namespace rogate::verdict
