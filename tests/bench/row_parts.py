"""What an observed call's cost is made of: observers that stop within it, each one part later than the one before. The
differences are small: only calls count that were made while nobody else computed on the core."""
import contextlib
import statistics

from measure import Line, ratios
from observers import ebpf, none, ptrace
from subject import Calls, Subject, calls_root, quiet_turns

# The observer that stops behind a part -> the part. An open that only reads ends with the arguments.
PARTS = {"TRACEPOINT": "the tracepoint", "PROCESS": "whose process", "ARGUMENTS": "arguments", "PATH": "the path",
         "PLACE": "where it begins and who", "ebpf": "counting it: the whole"}
MODES = {"refused-open": ("refused opens", tuple(PARTS)),
         "refused-create": ("refused creates", tuple(PARTS)),
         "refused-rename": ("refused renames (two paths)", tuple(PARTS)),
         "read-open": ("read-only opens", ("TRACEPOINT", "PROCESS", "ebpf"))}
FILTERS = {"nothing": "a seccomp filter that lets everything pass", "openat": "the shortest that looks at openat's flags",
           "agent": "the ptrace observer's filter, without a tracer"}


def up_to(part):
    """The eBPF observer that stops behind a part, which tells of no call."""
    @contextlib.contextmanager
    def watching(subject):
        with ebpf(subject, binary=part) as watched:
            yield watched
        if part != "ebpf" and watched[2].seen:
            raise RuntimeError(f"the observer that stops behind {part} saw {watched[2].seen} calls")
    return watching


def sample(calls, observer, mode, count, before=()):
    """Nanoseconds of the subject's CPU time for each call."""
    with Subject(calls.root) as subject, observer(subject) as (words, _, _):
        return calls.run(subject, mode, count, (*before, *words))[0] * 1e9


def line(what, than, samples):
    return Line(what, f"{than} ({statistics.median(samples['none']):.0f} ns each)", "–", ratios(samples, "none"), samples)


def run(settings):
    calls, lines, count, rounds = Calls(calls_root(), quiet=not settings.tiny), [], settings.count(200_000), settings.rounds
    for mode, (what, parts) in MODES.items():
        variants = {"none": lambda mode=mode: sample(calls, none, mode, count)}
        for part in parts:
            variants[PARTS[part]] = lambda part=part, mode=mode: sample(calls, up_to(part), mode, count)
        lines.append(line(f"{count:,} {what}, {rounds} rounds: up to and with", "no observer", quiet_turns(rounds, variants)))
    variants = {"none": lambda: sample(calls, none, "read-open", count)}
    for name, what in FILTERS.items():
        variants[what] = lambda name=name: sample(calls, none, "read-open", count, ("/filtered", name))
    # It watches for opens at the beginning, so that few calls would not tell what many cost.
    variants["the ptrace observer: the whole"] = lambda: sample(calls, ptrace, "read-open", settings.count(1_000_000))
    lines.append(line(f"{count:,} read-only opens, {rounds} rounds, under a filter", "no filter", quiet_turns(rounds, variants)))
    return lines
