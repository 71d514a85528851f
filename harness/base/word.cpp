#include <mutex>
#include <rogate/word.hpp>
#include <unordered_set>

namespace rogate {

namespace {

struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

}  // namespace

const std::string& Word::nothing() {
    static const std::string empty;
    return empty;
}

const std::string* Word::kept(std::string_view text) {
    static std::mutex mutex;
    // Nodes stay where they are. Not destroyed at the end, since there is no telling who still has a Word
    // then.
    static auto& all = *new std::unordered_set<std::string, Hash, std::equal_to<>>;
    const std::lock_guard lock(mutex);
    auto found = all.find(text);
    if (found == all.end()) found = all.emplace(text).first;
    return &*found;
}

}  // namespace rogate
