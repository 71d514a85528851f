#include "base/masker.hpp"

#include <algorithm>

namespace rogate {

namespace {

constexpr std::string_view mark = "***";

bool applies(SecretKind kind, Masker::In in) {
    return in == Masker::In::text || kind == SecretKind::secret;
}

// How much of the beginning of `text` is the end of `secret`.
std::size_t end_at_front(std::string_view text, std::string_view secret) {
    for (std::size_t size = std::min(secret.size() - 1, text.size()); size > 0; --size)
        if (secret.ends_with(text.substr(0, size))) return size;
    return 0;
}

// How much of the end of `text` is the beginning of `secret`.
std::size_t beginning_at_back(std::string_view text, std::string_view secret) {
    for (std::size_t size = std::min(secret.size() - 1, text.size()); size > 0; --size)
        if (text.ends_with(secret.substr(0, size))) return size;
    return 0;
}

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

}  // namespace

Masker::Masker(const Secrets& secrets) {
    for (const auto& [text, kind] : secrets) {
        if (text.size() < shortest_secret) continue;
        by_first_[static_cast<unsigned char>(text[0])].push_back({text, kind});
        longest_ = std::max(longest_, text.size());
    }
    for (auto& list : by_first_)
        std::ranges::stable_sort(list,
                                 [](const Each& a, const Each& b) { return a.text.size() > b.text.size(); });
}

Masker::Cuts Masker::at_cuts(std::string_view text, In in, Cut cut) const {
    Cuts cuts;
    if (text.empty() || (!cut.front && !cut.back)) return cuts;
    for (const auto& list : by_first_)
        for (const Each& each : list) {
            if (!applies(each.kind, in)) continue;
            if (cut.front) cuts.front = std::max(cuts.front, end_at_front(text, each.text));
            if (cut.back) cuts.back = std::max(cuts.back, beginning_at_back(text, each.text));
            // All of it may lie within one secret.
            if (cut.front && cut.back && each.text.find(text) != std::string::npos) cuts.front = text.size();
        }
    return cuts;
}

void Masker::mask_cut(std::string& text, Cut cut) const {
    const auto [front, back] = at_cuts(text, In::text, cut);
    if (front + back >= text.size() && front + back > 0) {
        text = mark;
        return;
    }
    if (back > 0) text.replace(text.size() - back, back, mark);
    if (front > 0) text.replace(0, front, mark);
}

std::vector<Masker::Span> Masker::spans(std::string_view text, In in, Cut cut) const {
    std::vector<Span> found;
    const auto add = [&](std::size_t begin, std::size_t end) {
        if (end <= begin) return;
        if (!found.empty() && begin <= found.back().end)
            found.back().end = std::max(found.back().end, end);
        else
            found.push_back({begin, end});
    };
    const auto [front, back] = at_cuts(text, in, cut);
    add(0, front);
    for (std::size_t at = 0; at < text.size(); ++at)
        for (const Each& each : by_first_[static_cast<unsigned char>(text[at])]) {
            if (!applies(each.kind, in) || text.compare(at, each.text.size(), each.text) != 0) continue;
            add(at, at + each.text.size());
            break;
        }
    // It may begin before what was found last.
    if (back > 0) {
        std::size_t begin = text.size() - back;
        while (!found.empty() && found.back().end > begin) {
            begin = std::min(begin, found.back().begin);
            found.pop_back();
        }
        found.push_back({begin, text.size()});
    }
    return found;
}

std::string Masker::masked(std::string_view text, In in, Cut cut) const {
    if (idle()) return std::string(text);
    std::string out;
    std::size_t from = 0;
    for (const Span& span : spans(text, in, cut)) {
        out.append(text.substr(from, span.begin - from)).append(mark);
        from = span.end;
    }
    return out.append(text.substr(from));
}

void Masker::mask(std::string& text, In in, Cut cut) const {
    if (idle() || text.empty()) return;
    if (!spans(text, in, cut).empty()) text = masked(text, in, cut);
}

bool Masker::covers(std::string_view text, In in) const {
    return !idle() && !spans(text, in, {}).empty();
}

std::string masked_end(const Masker& masker, std::string_view text, bool cut, std::size_t limit,
                       std::size_t lines) {
    std::string shown = masker.masked(text, Masker::In::text, {.front = cut});
    std::size_t begin = shown.size() > limit ? shown.size() - limit : 0;
    while (begin > 0 && begin < shown.size() && is_continuation(shown[begin])) ++begin;
    std::size_t from = shown.size();
    if (from > 0 && shown.back() == '\n') --from;
    for (std::size_t line = 0; line < lines && from != 0 && from != std::string::npos; ++line)
        from = shown.rfind('\n', from - 1);
    if (from != std::string::npos && from != 0) begin = std::max(begin, from + 1);
    return shown.erase(0, begin);
}

std::string masked_beginning(const Masker& masker, std::string_view text, std::size_t limit) {
    std::string shown = masker.masked(text);
    if (shown.size() <= limit) return shown;
    std::size_t end = limit;
    while (end > 0 && is_continuation(shown[end])) --end;
    return shown.substr(0, end) + "…";
}

}  // namespace rogate
