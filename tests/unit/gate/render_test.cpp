// What a decision looks like, in every format, as a person has looked at it.
#include "gate/render.hpp"

#include "support.hpp"
#include "unit/golden.hpp"

namespace rogate::gate::test {
namespace {

// A finding of each kind, and names that are out to break a format.
Decision whole() {
    MountResult tolerated =
        mount(Verdict::tolerated, {write("/data/a\nb`<x>"), write("/data/\x1b[31m", "utime")});
    MountResult expired = mount(Verdict::tolerated, {write("/old/stamp")});
    expired.mount.target = "/old";
    MountResult open = mount(Verdict::inconclusive);
    open.mount.target = "/open";
    MountResult untested = mount(Verdict::untested);
    untested.mount.target = "/unused";
    untested.mount.declared = {};
    MountResult writable = mount(Verdict::safe);
    writable.mount.target = "/must";
    std::vector<Attempt> many;
    for (int i = 0; i < 12; ++i) many.push_back(write("/many/" + std::to_string(i)));
    MountResult crowded = mount(Verdict::already_ro, many);
    crowded.mount.target = "/many";
    const std::string text = R"(mounts:
  - {target: /must, must_be_read_only: true}
  - {target: /gone, accept: [safe], reason: r}
writes:
  - {path: /old/stamp, reason: "a *stamp*", by: Ada, until: 2026-06-01}
)";
    return decide({result({tolerated, expired, open, untested, writable, crowded})}, text);
}

TEST(GateFormats, AreAsSomebodyHasLookedAtThem) {
    const Decision decision = whole();
    using rogate::test::expect_golden;
    expect_golden("gate.txt", render_terminal(decision, {}));
    expect_golden("gate_colour.txt", render_terminal(decision, {.colour = true}));
    expect_golden("gate.md", render_markdown(decision));
    expect_golden("gate.json", render_json(decision));
    expect_golden("gate_yes.txt", render_terminal(decide({result({mount(Verdict::safe)})}), {}));
}

TEST(GateFormats, NoNameReachesATerminalAsItIs) {
    for (const std::string& text :
         {render_terminal(whole(), {}), render_markdown(whole()), render_json(whole())})
        EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace rogate::gate::test
