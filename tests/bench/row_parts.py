"""What an observed call's cost is made of: observers that stop within it, each one part later than the one before."""
from measure import Line, in_turns, ratios
from observers import ebpf
from subject import Subject, calls_root

# The observer that stops behind a part -> the part. An open that only reads ends with the arguments.
PARTS = {"TRACEPOINT": "the tracepoint", "PROCESS": "whose process", "ARGUMENTS": "arguments", "PATH": "the path",
         "PLACE": "where it begins and who", "ebpf": "counting it: the whole"}
MODES = {"refused-open": ("1,000,000 refused opens", tuple(PARTS)),
         "refused-create": ("1,000,000 refused creates", tuple(PARTS)),
         "refused-rename": ("1,000,000 refused renames (two paths)", tuple(PARTS)),
         "read-open": ("1,000,000 read-only opens", ("TRACEPOINT", "PROCESS", "ebpf"))}


def sample(root, binary, mode, count):
    """Nanoseconds of the subject's CPU time for each call."""
    with Subject(root) as subject:
        if not binary:
            return float(subject.run(["/calls", mode, str(count)], ()).split()[0]) / count * 1e9
        with ebpf(subject, binary=binary) as (before, tool, agent):
            cpu = float(subject.run(["/calls", mode, str(count)], ()).split()[0])
        if binary != "ebpf" and agent.seen:
            raise RuntimeError(f"the observer that stops behind {binary} saw {agent.seen} calls")
    return cpu / count * 1e9


def run(settings):
    root, lines, count = calls_root(), [], settings.count(1_000_000)
    for mode, (what, parts) in MODES.items():
        variants = {"none": lambda mode=mode: sample(root, "", mode, count)}
        for part in parts:
            variants[PARTS[part]] = lambda part=part, mode=mode: sample(root, part, mode, count)
        samples = in_turns(settings.rounds, variants)
        base = sorted(samples["none"])[len(samples["none"]) // 2]
        lines.append(Line(f"{what}: up to and with", f"no observer ({base:.0f} ns each)", "–", ratios(samples, "none"), samples))
    return lines
