"""Several scenarios at a time, on one engine and on several."""
import json
import subprocess
import time

from own_engine import own_engine
from support import IDLE, IMAGE, Running, contains, docker, equal, left_after, project, rogate

# Not met before somebody has made the file in the subject.
WAITS = {"name": "waits", "exec": "test -e /go", "retry": {"until": "120s", "interval": "200ms"}}


def make(p, *scenarios):
    p.make("data", {"kept": "k\n"})
    text = {"subject": {"image": IMAGE, "command": ["sh", "-c", "cat /data/kept; " + IDLE], "mounts": ["./data:/data"]},
            "ready": {"log": "started"},
            "scenarios": [{"name": name, "steps": steps} for name, steps in scenarios]}
    with open(p.path("scenario.yaml"), "w") as out:
        json.dump(text, out)


def subjects(engine):
    """The containers under test, by session."""
    shown = engine("ps", "--filter", "label=io.rogate.session", "--format",
                   '{{.ID}} {{.Label "io.rogate.session"}} {{.Label "io.rogate.role"}}')
    return {words[1]: words[0] for words in map(str.split, shown.splitlines()) if words[2:] == ["subject"]}


def let_go(engine):
    for container in subjects(engine).values():
        # It may have ended meanwhile.
        subprocess.run(["docker", *engine.words, "exec", container, "touch", "/go"], capture_output=True)


class Docker:
    def __init__(self, *words):
        self.words = words

    def __call__(self, *words):
        return docker(*self.words, *words)


def let_go_until_it_ends(running, *engines):
    while running.process.poll() is None:
        for engine in engines:
            let_go(engine)
        time.sleep(0.2)


def seen_at_once(engine, wanted):
    most = 0
    for _ in range(600):
        most = max(most, len(subjects(engine)))
        if most >= wanted:
            break
        time.sleep(0.1)
    return most


def verdict(p, name):
    with open(p.path(f"out/{name}/result.json")) as file:
        result = json.load(file)
    return result["mounts"][0]["verdict"], result["engine"]["host"]


def test_scenarios_run_at_a_time_and_are_told_in_their_order():
    with project() as p:
        make(p, ("first", [WAITS]), ("second", [WAITS, {"exec": "echo x >/data/new"}]), ("third", [{"exec": "false"}]))
        running = Running("run", p.folder, "--jobs", "2", "--out", p.path("out"))
        engine = Docker()
        try:
            equal(seen_at_once(engine, 2), 2)
            equal(len(subjects(engine)), 2)  # and the third one waits
            let_go_until_it_ends(running, engine)
            running.finish()
        finally:
            running.process.kill()
        equal(running.code, 1, running.output)  # the worst: the third one's control run fails
        equal([verdict(p, name)[0] for name in ("first", "second", "third")], ["safe", "required", "inconclusive"])
        contains(running.output, "first: run 1 (control", "second: step waits", "third: run 1 (control")
        places = [running.output.index(f"\n{name}: image") for name in ("first", "second", "third")]
        equal(places, sorted(places))


def test_an_interruption_ends_all_of_them():
    with project() as p:
        make(p, ("first", [WAITS]), ("second", [WAITS]), ("third", [WAITS]))
        running = Running("run", p.folder, "--jobs", "2")
        try:
            equal(seen_at_once(Docker(), 2), 2)
            running.process.terminate()
            running.finish()
        finally:
            running.process.kill()
        equal(running.code, 143, running.output)
        equal(running.output.count("interrupted: cleaning up"), 1)
        assert "third" not in running.output, running.output
        equal(left_after(5), "")


def test_scenarios_are_shared_among_engines():
    here = docker("context", "inspect", "-f", "{{.Endpoints.docker.Host}}")
    with own_engine() as engine, project() as p:
        make(p, ("first", [WAITS]), ("second", [WAITS]), ("third", [{"exec": "cat /data/kept"}]))
        running = Running("--host", here, "--host", engine.address, "run", p.folder, "--out", p.path("out"))
        engines = [Docker("-H", here), Docker("-H", engine.address)]
        try:
            equal([seen_at_once(each, 1) for each in engines], [1, 1])
            let_go_until_it_ends(running, *engines)
            running.finish()
        finally:
            running.process.kill()
        equal(running.code, 0, running.output)
        equal([verdict(p, "first"), verdict(p, "second"), verdict(p, "third")[0]], [("safe", here), ("safe", engine.address), "safe"])


def test_an_engine_that_is_lost_leaves_its_part_to_the_others():
    here = docker("context", "inspect", "-f", "{{.Endpoints.docker.Host}}")
    with own_engine() as engine, project() as p:
        make(p, ("first", [WAITS]), ("second", [WAITS]), ("third", [{"exec": "cat /data/kept"}]), ("fourth", [{"exec": "cat /data/kept"}]))
        running = Running("--host", here, "--host", engine.address, "--engine-timeout", "5", "run", p.folder, "--out", p.path("out"))
        try:
            equal(seen_at_once(Docker("-H", engine.address), 1), 1)
            equal(seen_at_once(Docker("-H", here), 1), 1)
            engine.kill()
            running.wait_for("scenario 'second'")
            let_go_until_it_ends(running, Docker("-H", here))
            running.finish()
        finally:
            running.process.kill()
            engine.start()  # its watchdog goes on until the engine is there again
            equal(left_after(30), "")
        equal(running.code, 3, running.output)
        contains(running.output, f"{engine.address} was lost, what was left was given to the others")
        equal([verdict(p, name) for name in ("first", "third", "fourth")], [("safe", here)] * 3)


def test_every_engine_is_reached_before_anything_runs():
    here = docker("context", "inspect", "-f", "{{.Endpoints.docker.Host}}")
    with project() as p:
        make(p, ("first", []), ("second", []))
        done = rogate("--host", here, "--host", "unix:///nowhere/docker.sock", "run", p.folder, "--out", p.path("out"))
        equal((done.returncode, done.stdout), (3, ""), done.stderr)
        contains(done.stderr, "unix:///nowhere/docker.sock")
        assert "run 1" not in done.stderr, done.stderr
        done = rogate("--host", here, "--host", here, "clean")
        equal(done.returncode, 2)
        contains(done.stderr, "--host is given more than once")


def test_options_take_one_word_each():
    with project() as p:
        p.scenario("cat /data/kept; " + IDLE, ["./data:/data"], [{"exec": "echo ${{ word }}", "expect": {"equals": "given\n"}}],
                   vars={"word": "unset"})
        p.make("data", {"kept": "k\n"})
        done = rogate("run", "--only", "c*", "--set", "word=given", p.folder)
        equal(done.returncode, 0, done.stdout + done.stderr)
        contains(done.stdout, "safe", "/data")
