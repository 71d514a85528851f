"""Runs and time to settle many candidates."""
from measure import Line
from scenarios import campaign, scenario


def sample(settings, mounts, written):
    shell = "; ".join(f"echo x >/m{i}/made" for i in range(written)) or "exit 0"
    with scenario(f"cat /m*/file >/dev/null; {shell}; exit 0", mounts) as folder:
        result, took = campaign(settings.rogate, folder)
    runs = result["runs"]
    return {"runs": len(runs), "s": took, "run_s": sum(each["duration_s"] for each in runs) / len(runs)}


def run(settings):
    """Once each: the number of runs does not vary, and the time of each is row `launch`."""
    many, few = (4, 2) if settings.tiny else (50, 10)
    samples = {f"{mounts} candidates, {written} written": sample(settings, mounts, written)
               for mounts, written in ((few, 0), (many, 0), (many, 1), (many, min(5, many)))}
    targets = ("–", "2 runs", "3 runs", "at most 7 runs")
    return [Line(name, f"one run per mount: {int(name.split()[0]) + 1} runs", target,
                 f"{each['runs']} runs, {each['s']:.1f} s ({each['run_s']:.2f} s a run); ratio of times "
                 f"{each['s'] / (each['run_s'] * (int(name.split()[0]) + 1)):.2f}", each)
            for (name, each), target in zip(samples.items(), targets)]
