"""What a run costs beside the application: `rogate run` of a subject that exits at once, and `docker run` of the same."""
import contextlib
import os
import re
import subprocess
import tempfile

from engine_log import EngineLog, covered
from measure import Line, in_turns, ratio, seconds, with_spread
from observers import Agent, agent_binary
from scenarios import IMAGE, campaign, scenario


def docker_run(source, *options):
    return seconds(lambda: subprocess.run(["docker", "run", "--rm", *options, "-v", f"{source}:/m0", "--entrypoint", "true", IMAGE],
                                          capture_output=True, check=True))


@contextlib.contextmanager
def same_surroundings(folder):
    """A network and a volume like those that a run has: not the default bridge, and an overlay of the mount's source."""
    name = f"rogate-bench-{os.getpid()}"
    for layer in ("upper", "work"):
        os.mkdir(f"{folder}/{layer}")
    overlay = f"o=lowerdir={folder}/m0,upperdir={folder}/upper,workdir={folder}/work"
    try:
        for words in (["network", "create", name], ["volume", "create", "-o", "type=overlay", "-o", "device=overlay", "-o", overlay, name]):
            subprocess.run(["docker", *words], capture_output=True, check=True)
        yield name
    finally:
        for kind in ("volume", "network"):
            subprocess.run(["docker", kind, "rm", name], capture_output=True)


# Making, starting, awaiting and removing a container.
OF_DOCKER_RUN = re.compile(r"POST \S*/containers/(create\?name=rogate-\w+-run|\w+/(attach|start|wait|stop))|DELETE \S*/containers/")


def with_log(rogate, folder):
    """Milliseconds per run in which no call of the engine was under way, and in which only such were that `docker run --rm` does
    not make; those from the request for the observer until it was attached, and of these the ones until its container was
    there."""
    with tempfile.TemporaryDirectory() as place, EngineLog(place) as log:
        result, _ = campaign(rogate, folder, {"DOCKER_HOST": log.address})
        calls = list(log.calls)
    begin = min(start for name, start, _ in calls if "-run1" in name)
    end = max(end for name, _, end in calls if name.startswith("DELETE") and f"-r{len(result['runs'])}-m" in name)
    runs, engines = len(result["runs"]), covered(calls, begin, end)
    own = (end - begin - engines) / runs
    beside = (engines - covered([each for each in calls if OF_DOCKER_RUN.match(each[0])], begin, end)) / runs
    asked = min(start for name, start, _ in calls if "/images/create" in name)
    made = max(end for name, _, end in calls if "/containers/create" in name and name.endswith("-observer"))
    return own * 1000, beside * 1000, (log.first_words - asked) * 1000, (made - asked) * 1000


def docker_start():
    """Milliseconds in which the docker CLI starts a container that is there."""
    container = subprocess.run(["docker", "create", "--entrypoint", "true", IMAGE], capture_output=True, text=True, check=True).stdout.strip()
    try:
        return seconds(lambda: subprocess.run(["docker", "start", container], capture_output=True, check=True)) * 1000
    finally:
        subprocess.run(["docker", "rm", "-f", container], capture_output=True, check=True)


def agent_alone():
    agent = Agent([agent_binary("ebpf"), str(16 << 20)])
    agent.end()
    return agent.attached_after * 1000


def run(settings):
    own, beside, attached, made = [], [], [], []

    def logged():
        figures = with_log(settings.rogate, folder)
        for each, figure in zip((own, beside, attached, made), figures):
            each.append(figure)
        return list(figures)

    def per_run():
        """What each more run adds: removing what one has left and beginning the next go on at the same time."""
        (few, quick), (many, slow) = (campaign(settings.rogate, folder, None, "--repeat", times) for times in ("1", "6"))
        return (slow - quick) / (len(many["runs"]) - len(few["runs"]))
    with scenario("exit 0", 1) as folder, same_surroundings(folder) as name:
        samples = in_turns(settings.rounds, {"docker run --rm": lambda: docker_run(f"{folder}/m0"),
                                             "docker run likewise": lambda: docker_run(name, "--network", name), "a run": per_run,
                                             "whole": lambda: campaign(settings.rogate, folder)[1], "logged": logged,
                                             "docker start": docker_start, "agent alone": agent_alone})
    return [Line("a run of a subject that exits at once", "`docker run --rm` of it", "1.0",
                 ratio(samples, "a run", "docker run --rm"), samples),
            Line("… the same", "`docker run --rm` with a network and an overlay like its own, both made before", "1.0",
                 ratio(samples, "a run", "docker run likewise"), samples),
            Line("… `docker run --rm` with those", "`docker run --rm` without", "–",
                 ratio(samples, "docker run likewise", "docker run --rm")),
            Line("… time in it that is not the engine's", "–", "20 ms", with_spread(own, 0, " ms")),
            Line("… time in it that is the engine's, for what `docker run` does not ask for: volumes, inspections", "–", "–",
                 with_spread(beside, 0, " ms")),
            Line("… the whole campaign of two runs, with setting up and clean-up", "`docker run --rm` of it", "–",
                 ratio(samples, "whole", "docker run --rm", 1)),
            Line("the observer, from request to attached", "–", "150 ms", with_spread(attached, 0, " ms")),
            Line("… of it, the engine's import of its image and making of its container", "–", "–", with_spread(made, 0, " ms")),
            Line("… `docker start` of any container, alone", "–", "–", with_spread(samples["docker start"], 0, " ms")),
            Line("… of it, loading its programs, alone", "–", "–", with_spread(samples["agent alone"], 0, " ms"))]
