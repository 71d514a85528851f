"""What an observed call's cost is made of: observers that stop within it, each one part later than the one before. The
differences are small: only calls count that were made while nobody else computed on the core."""
import statistics

from measure import Line, ratios
from observers import ebpf, ptrace
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
PTRACE = "the ptrace observer: the whole"


def sample(calls, binary, mode, count, before=()):
    """Nanoseconds of the subject's CPU time for each call."""
    with Subject(calls.root) as subject:
        if not binary:
            return calls.run(subject, mode, count, before)[0] * 1e9
        with ebpf(subject, binary=binary) as (before, tool, agent):
            cpu = calls.run(subject, mode, count)[0]
        if binary != "ebpf" and agent.seen:
            raise RuntimeError(f"the observer that stops behind {binary} saw {agent.seen} calls")
    return cpu * 1e9


def traced(calls, count):
    """As sample(), under the ptrace observer."""
    with Subject(calls.root) as subject, ptrace(subject) as (before, _, _):
        return calls.run(subject, "read-open", count, before)[0] * 1e9


def line(what, than, samples):
    return Line(what, f"{than} ({statistics.median(samples['none']):.0f} ns each)", "–", ratios(samples, "none"), samples)


def run(settings):
    calls, lines, count, rounds = Calls(calls_root(), quiet=not settings.tiny), [], settings.count(200_000), settings.rounds
    for mode, (what, parts) in MODES.items():
        variants = {"none": lambda mode=mode: sample(calls, "", mode, count)}
        for part in parts:
            variants[PARTS[part]] = lambda part=part, mode=mode: sample(calls, part, mode, count)
        lines.append(line(f"{count:,} {what}, {rounds} rounds: up to and with", "no observer", quiet_turns(rounds, variants)))
    variants = {"none": lambda: sample(calls, "", "read-open", count)}
    for name, what in FILTERS.items():
        variants[what] = lambda name=name: sample(calls, "", "read-open", count, ("/filtered", name))
    # It watches for opens at the beginning, so that few calls would not tell what many cost.
    variants[PTRACE] = lambda: traced(calls, settings.count(1_000_000))
    lines.append(line(f"{count:,} read-only opens, {rounds} rounds, under a filter", "no filter", quiet_turns(rounds, variants)))
    return lines
