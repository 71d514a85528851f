"""The worst case: nothing but calls that an observer has to look at."""
from measure import Line, ratios
from observers import OBSERVERS, unarmed
from subject import Calls, Subject, calls_root, quiet_turns

# mode -> (what, to reach)
MODES = {"refused-open": ("1,000,000 refused opens of one file", "eBPF 1.3"),
         "refused-create": ("1,000,000 refused creates", "eBPF 1.3"),
         "refused-rename": ("1,000,000 refused renames", "eBPF 1.3"),
         "cycle": ("300,000 times create, write, close, unlink (tmpfs)", "eBPF 1.2"),
         "read-open": ("1,000,000 read-only opens", "eBPF 1.08, ptrace 1.08")}
# The least that an observer with this tracepoint can cost.
WATCHERS = {**OBSERVERS, "eBPF watching others": unarmed}
# What stops the subject takes so much longer that fewer calls tell as much.
SLOWER = {"strace -f": 100, "strace --seccomp-bpf": 100, "ptrace": 50}


def sample(calls, observer, mode, count):
    """Microseconds for each call: of the subject's CPU time, or of the clock where a tracer does the work."""
    stops = observer in SLOWER and not (observer == "ptrace" and mode == "read-open")
    number = max(count // (SLOWER[observer] if stops else 1), 20)
    with Subject(calls.root) as subject, WATCHERS[observer](subject) as (before, tool, agent):
        # A thousand calls that are stopped take too long to be sure that nobody disturbed them, and the ratio is in the hundreds.
        cpu, wall, made = calls.run(subject, mode, number, before, tool, quiet=not stops)
    if agent and observer == "eBPF":  # a rename's second path is an event of its own, once
        expected = {"cycle": 2 * made, "read-open": 0, "refused-rename": made + 1}.get(mode, made)
        if agent.lost or agent.seen != expected:
            raise RuntimeError(f"{mode}: {agent.seen} of {expected} seen, {agent.lost} lost")
    return (wall if stops else cpu) * 1e6


def run(settings):
    calls = Calls(calls_root(), quiet=not settings.tiny)
    lines, counts = [], {mode: 300_000 if mode == "cycle" else 1_000_000 for mode in MODES}
    for mode, (what, target) in MODES.items():
        variants = {name: (lambda name=name: sample(calls, name, mode, settings.count(counts[mode]))) for name in WATCHERS}
        samples = quiet_turns(settings.rounds, variants)
        base = sorted(samples["none"])[len(samples["none"]) // 2]
        lines.append(Line(what, f"no observer ({base:.2f} µs each)", target, ratios(samples, "none"), samples))
    return lines
