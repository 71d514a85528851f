// Attempts of a run, or some of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <rogate/attempt.hpp>
#include <vector>

namespace rogate {

// Copy-on-write list; copies and subsets share storage.
class Attempts {
  public:
    class Iterator {
      public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = Attempt;
        using difference_type = std::ptrdiff_t;
        using pointer = const Attempt*;
        using reference = const Attempt&;

        Iterator() = default;
        Iterator(const Attempts* list, std::size_t at) : list_(list), at_(at) {}
        reference operator*() const { return (*list_)[at_]; }
        pointer operator->() const { return &**this; }
        Iterator& operator++() { return ++at_, *this; }
        Iterator operator++(int) { return {list_, at_++}; }
        bool operator==(const Iterator&) const = default;

      private:
        const Attempts* list_ = nullptr;
        std::size_t at_ = 0;
    };

    Attempts() = default;
    Attempts(std::vector<Attempt> all);  // NOLINT(*-explicit-*)
    Attempts(std::initializer_list<Attempt> all);

    std::size_t size() const { return picked_ ? picked_->size() : all_ ? all_->size() : 0; }
    bool empty() const { return size() == 0; }
    const Attempt& operator[](std::size_t i) const { return (*all_)[picked_ ? (*picked_)[i] : i]; }
    Iterator begin() const { return {this, 0}; }
    Iterator end() const { return {this, size()}; }
    bool operator==(const Attempts& other) const;

    // Those at these places, in this order.
    Attempts picked(std::vector<std::uint32_t> places) const;
    // To change them, for this list alone. Copied first if others refer to them.
    std::vector<Attempt>& edit();

  private:
    std::shared_ptr<std::vector<Attempt>> all_;
    std::shared_ptr<const std::vector<std::uint32_t>> picked_;  // null: all of them
};

}  // namespace rogate
