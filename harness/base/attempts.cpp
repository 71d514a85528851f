#include <algorithm>
#include <rogate/attempts.hpp>
#include <utility>

namespace rogate {

Attempts::Attempts(std::vector<Attempt> all) : all_(std::make_shared<std::vector<Attempt>>(std::move(all))) {}

Attempts::Attempts(std::initializer_list<Attempt> all) : Attempts(std::vector<Attempt>(all)) {}

bool Attempts::operator==(const Attempts& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
}

Attempts Attempts::picked(std::vector<std::uint32_t> places) const {
    if (picked_)
        for (std::uint32_t& place : places) place = (*picked_)[place];
    Attempts some;
    some.all_ = all_;
    some.picked_ = std::make_shared<const std::vector<std::uint32_t>>(std::move(places));
    return some;
}

std::vector<Attempt>& Attempts::edit() {
    if (picked_ || !all_ || all_.use_count() > 1) {
        all_ = std::make_shared<std::vector<Attempt>>(begin(), end());
        picked_ = nullptr;
    }
    return *all_;
}

}  // namespace rogate
