// Replaces secrets in texts, also in texts that were cut on their way. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <rogate/secret.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rogate {

// Where a text has lost something: what stands there may be the rest of a secret.
struct Cut {
    bool front = false, back = false;
};

class Masker {
  public:
    enum class In {
        text,  // free text: every secret, and every value of the environment
        path   // paths and names, which are facts: only what is a secret
    };

    Masker() = default;
    // Takes each text as it is given; what other forms it may have is for the caller to add.
    explicit Masker(const Secrets& secrets);

    bool idle() const { return longest_ == 0; }
    // Puts "***" in place of each stretch of `text` that secrets cover, so that no rest of one stays. At a
    // cut the longest end (front) or beginning (back) of a secret is taken for one, however short it is.
    void mask(std::string& text, In in = In::text, Cut cut = {}) const;
    std::string masked(std::string_view text, In in = In::text, Cut cut = {}) const;
    // Only what stands at a cut; the rest is left for those who match it.
    void mask_cut(std::string& text, Cut cut) const;
    // Whether there is anything to mask.
    bool covers(std::string_view text, In in) const;

  private:
    struct Each {
        std::string text;
        SecretKind kind;
    };
    struct Span {
        std::size_t begin, end;
    };
    // How many bytes of the text's beginning and end are to go.
    struct Cuts {
        std::size_t front = 0, back = 0;
    };
    Cuts at_cuts(std::string_view text, In in, Cut cut) const;
    std::vector<Span> spans(std::string_view text, In in, Cut cut) const;

    std::array<std::vector<Each>, 256> by_first_;  // byte; the longest first
    std::size_t longest_ = 0;
};

// The last `limit` bytes or fewer of what `text` is when it is masked, of its last `lines` lines. `cut`: its
// beginning is missing already.
std::string masked_end(const Masker& masker, std::string_view text, bool cut, std::size_t limit,
                       std::size_t lines);

// `text`, masked, and of `limit` bytes at most.
std::string masked_beginning(const Masker& masker, std::string_view text, std::size_t limit);

}  // namespace rogate
