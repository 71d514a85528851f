"""The same scenarios one after the other, several at a time, and shared between two engines on this machine."""
import json
import subprocess
import sys

from measure import ROOT, Line, in_turns, ratios, seconds
from scenarios import IMAGE, scenario

sys.path.append(f"{ROOT}/tests/integration")


def write(folder, count, step):
    """`count` scenarios with `step`, for a subject that waits to be stopped."""
    with open(f"{folder}/scenario.yaml", "w") as file:
        json.dump({"subject": {"image": IMAGE, "entrypoint": ["sh", "-c", "cat /m0/file; echo started; exec sleep infinity"],
                               "init": True, "mounts": ["./m0:/m0"]},
                   "ready": {"log": "started"},
                   "scenarios": [{"name": f"part{i}", "steps": [step]} for i in range(count)]}, file)


def run(settings):
    from own_engine import own_engine

    here = subprocess.run(["docker", "context", "inspect", "-f", "{{.Endpoints.docker.Host}}"], capture_output=True, text=True,
                          check=True).stdout.strip()
    count, pause = (2, "10ms") if settings.tiny else (4, "1s")
    lines = []
    with own_engine() as engine:
        for what, step in ((f"{count} scenarios whose step waits {pause}", {"wait": pause}),
                           (f"{count} scenarios whose step does nothing", {"exec": "true"})):
            with scenario("", 1) as folder:
                write(folder, count, step)

                def timed(*words):
                    return lambda: seconds(lambda: subprocess.run([settings.rogate, "--host", here, *words, "-q", folder],
                                                                  capture_output=True, check=True))

                samples = in_turns(settings.rounds, {
                    "one at a time": timed("run"), "--jobs 2": timed("run", "--jobs", "2"), "--jobs 4": timed("run", "--jobs", "4"),
                    "two engines": timed("--host", engine.address, "run")})
            lines.append(Line(what, "one at a time", "–", ratios(samples, "one at a time"), samples))
    return lines
