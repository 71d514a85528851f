"""What all measurements share: variants that take turns, ratios with their spread, and the text made of them."""
import dataclasses
import json
import os
import statistics
import textwrap
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
WORK = f"{ROOT}/build/bench"


@dataclasses.dataclass
class Settings:
    rogate: str
    rounds: int = 5
    tiny: bool = False  # only shows that it works; the figures mean nothing

    def count(self, number):
        return max(number // 1000, 20) if self.tiny else number


@dataclasses.dataclass
class Line:
    """A line of the table. `samples` are the raw figures, by variant, in the order in which they were taken."""
    what: str
    compared: str
    target: str
    measured: str
    samples: dict = dataclasses.field(default_factory=dict)


def in_turns(rounds, variants):
    """Calls each of `variants` (name -> function that answers a figure) once in each round, beginning with another one each time."""
    names = list(variants)
    samples = {name: [] for name in names}
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            samples[name].append(variants[name]())
    return samples


def clear(number, digits):
    return f"{number:.{digits}f}" if number < 100 else f"{number:.0f}"


def with_spread(values, digits=2, unit=""):
    """"1.02 (1.00–1.05)": median, and the smallest and largest."""
    low, middle, high = (clear(each, digits) for each in (min(values), statistics.median(values), max(values)))
    return f"{middle}{unit} ({low}–{high})"


def ratio(samples, variant, base, digits=2):
    """Of each round's pair, since what disturbs one of them mostly disturbs the other."""
    return with_spread([one / other for one, other in zip(samples[variant], samples[base])], digits)


def ratios(samples, base, digits=2):
    return ", ".join(f"{name} {ratio(samples, name, base, digits)}" for name in samples if name != base)


def seconds(action):
    start = time.monotonic()
    action()
    return time.monotonic() - start


def table(rows):
    """`rows`: (row's name, what it is about, its lines). Lists, since a table's lines would be hundreds of characters long."""
    text = ""
    for name, about, lines in rows:
        text += f"{chr(10) if text else ''}### `ci/bench.sh {name}`: {about}\n\n"
        for line in lines:
            item = f"**{line.what}**: {line.measured}."
            if line.compared != "–":
                item += f" Beside {line.compared}."
            if line.target != "–":
                item += f" To reach: {line.target}."
            text += textwrap.fill(item, 118, initial_indent="- ", subsequent_indent="  ", break_long_words=False,
                                  break_on_hyphens=False) + "\n"
    return text


def save(name, lines, settings):
    os.makedirs(WORK, exist_ok=True)
    with open(f"{WORK}/{name}.json", "w") as file:
        json.dump({"row": name, "rounds": settings.rounds, "tiny": settings.tiny,
                   "lines": [dataclasses.asdict(line) for line in lines]}, file, indent=1, ensure_ascii=False)
