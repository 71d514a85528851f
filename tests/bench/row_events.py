"""Distinct paths, each of which is an event of its own: how many a second the observer takes, and what it remembers."""
import statistics

from measure import Line, clear, in_turns
from observers import ebpf
from subject import Subject, calls_root

RATES = (0, 300_000, 200_000, 100_000)  # calls a second; 0: as many as there can be


def sample(root, count, rate=0):
    with Subject(root) as subject:
        with ebpf(subject) as (before, tool, agent):
            wall = float(subject.run(["/calls", "distinct", str(count), str(rate)]).split()[1])
        memory = agent.memory_at_end
    return {"per_second": count / wall, "lost": agent.lost, "seen": agent.seen, "memory": memory,
            "agent_s": agent.cpu_at_end}


def fastest_without_loss(root, count, rates):
    for rate in rates:
        taken = sample(root, count, rate)
        if taken["lost"] == 0 and taken["seen"] == count:
            return taken["per_second"]
    return 0


def run(settings):
    root = calls_root()
    small, large = settings.count(100_000), settings.count(200_000)
    rates = RATES[:1] if settings.tiny else RATES
    samples = in_turns(settings.rounds, {"fastest without loss": lambda: fastest_without_loss(root, large, rates),
                                         "100,000": lambda: sample(root, small, 50_000),
                                         "200,000": lambda: sample(root, large, 50_000)})
    fastest = [each / 1000 for each in samples["fastest without loss"]]

    def middle(size, key):
        return statistics.median(each[key] for each in samples[size])
    return [Line("refused creates of distinct paths a second, none lost", "–", "200,000",
                 f"{clear(statistics.median(fastest), 0)},000 ({min(fastest):.0f},000–{max(fastest):.0f},000)", samples),
            Line("the observer's CPU time and memory, 100,000 and 200,000 distinct paths", "each other", "in proportion",
                 f"{middle('100,000', 'agent_s'):.2f} and {middle('200,000', 'agent_s'):.2f} s, "
                 f"{middle('100,000', 'memory') / 1e6:.0f} and {middle('200,000', 'memory') / 1e6:.0f} MB")]
