"""How the data are kept out of reach where an overlay cannot do it."""
import contextlib
import os
import subprocess

from faulty_engine import FaultyEngine
from support import IDLE, contains, docker, equal, fingerprint, needs_root, project, rogate


# Writes at the first start only.
FIRST_START = "test -e /made/x || echo x >/made/x || exit 3; cat /made/x; "


@contextlib.contextmanager
def overlay_of_an_overlay(p):
    """A folder that the kernel does not put under a third overlay."""
    needs_root()
    layers = [p.path("base")]
    p.make("base", {"file": "text\n"})
    try:
        for level in ("one", "two"):
            parts = {each: p.path(f"{level}-{each}") for each in ("upper", "work", "whole")}
            for folder in parts.values():
                os.makedirs(folder)
            subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                            f"lowerdir={layers[-1]},upperdir={parts['upper']},workdir={parts['work']}", parts["whole"]], check=True)
            layers.append(parts["whole"])
        yield layers[-1]
    finally:
        for mounted in reversed(layers[1:]):
            subprocess.run(["umount", mounted], check=True)


def test_what_a_run_left_is_copied_where_the_engine_cannot_lay_an_overlay_over_it():
    """As on an engine whose own data lie on an overlay."""
    with project() as p, FaultyEngine(rewrite=(b'"type":"overlay"', b'"type":"nosuchf"')) as engine:
        p.make("plain", {"kept": "text\n", "old": "text\n"})
        p.make("single", {"kept": "text\n"})
        p.scenario(f"ls /made; n=$(cat /fresh/count || echo 0); echo $((n + 1)) >/fresh/count; cat /made/kept 2>/dev/null || echo x >/made/kept || exit 3; "
                   f"test $n != 1 || test ! -e /plain/old || exit 4; rm -f /plain/old; touch /plain/kept; chown 33:34 /plain /fresh; {IDLE}",
                   ["rogate-none:/fresh", "rogate-none-too:/made", "./plain:/plain", "./single/kept:/one"],
                   [{"name": "is owned", "exec": "stat -c '%u:%g' /plain /fresh", "expect": {"equals": "33:34\n33:34"}}],
                   states=["fresh", "used", "crash"], candidates=["/one"])
        before = fingerprint(p.path("plain"))
        done = p.run(env={"DOCKER_HOST": engine.address})
        assert p.result, done.stderr
        equal((p.result["data"], p.verdicts()["/one"]), ("copy", "untested"), done.stdout + done.stderr)
        equal([each["passed"] for each in p.result["runs"]], [True] * 8, done.stdout)
        p.scenario(FIRST_START + IDLE, ["rogate-none-too:/made"], states=["used"])
        equal(p.run(env={"DOCKER_HOST": engine.address}).returncode, 0)
        equal(p.verdicts()["/made"], "safe")
        equal(fingerprint(p.path("plain")), before, "the user's data changed")


def test_what_no_overlay_can_lie_on_is_copied_and_the_others_are_not():
    with project() as p, overlay_of_an_overlay(p) as stacked:
        p.make("plain", {"file": "text\n"})
        p.scenario(f"cat /stacked/file /plain/file; echo x >/stacked/file; echo x >/plain/file; {IDLE}",
                   [f"{stacked}:/stacked", "./plain:/plain"])
        before = [fingerprint(stacked), fingerprint(p.path("plain"))]
        done = p.run()
        equal(done.returncode, 0, done.stderr)
        equal([fingerprint(stacked), fingerprint(p.path("plain"))], before)
        equal(p.result["data"], "copy+overlay")
        equal(p.verdicts(), {"/stacked": "tolerated", "/plain": "tolerated"})


def test_a_volume_that_nobody_has_used_is_still_so_afterwards():
    """Its first container fills it and decides whose it is."""
    def first_use(volume):
        return docker("run", "--rm", "-v", f"{volume}:/var/mail", "rogate/base:bookworm", "stat", "-c", "%u:%g %a", "/var/mail")
    for volume in ("rogate-test-unused", "rogate-test-other"):
        docker("volume", "create", volume)
    try:
        with project() as p:
            p.scenario(f"ls /var/mail; {IDLE}", ["rogate-test-unused:/var/mail"])
            done = p.run()
            equal((done.returncode, p.verdicts()), (0, {"/var/mail": "safe"}), done.stdout + done.stderr)
        equal(first_use("rogate-test-unused"), first_use("rogate-test-other"))
    finally:
        docker("volume", "rm", "rogate-test-unused", "rogate-test-other")


def test_copies_where_they_are_asked_for():
    with project() as p:
        p.make("plain", {"file": "text\n"})
        p.scenario(f"cat /plain/file; test ! -e /plain/new || exit 3; echo x >/plain/new; {IDLE}", ["./plain:/plain"], data="copy")
        before = fingerprint(p.path("plain"))
        done = p.run()
        equal((done.returncode, p.result["data"], p.verdicts()), (0, "copy", {"/plain": "tolerated"}), done.stdout + done.stderr)
        equal(fingerprint(p.path("plain")), before)


def test_live_data_are_the_real_ones():
    with project() as p:
        p.make("plain", {"file": "text\n"})
        p.make("kept", {"file": "text\n"})
        docker("volume", "create", "rogate-test-live")
        try:
            # Each run finds what the one before has written.
            p.scenario(f"cat /kept/file; n=$(cat /vol/count 2>/dev/null || echo 0); echo $((n + 1)) >/vol/count; echo x >>/plain/file; {IDLE}",
                       ["./plain:/plain", "./kept:/kept", "rogate-test-live:/vol"], data="live", candidates=["/plain", "/kept"])
            done = p.run()
            equal((done.returncode, p.result["data"]), (0, "live"), done.stdout + done.stderr)
            equal(p.verdicts(), {"/plain": "tolerated", "/kept": "safe"})
            contains(done.stderr, "data: live: the runs write to the real data")
            with open(p.path("plain/file")) as file:
                equal(file.read(), "text\nx\n")  # the control run's; the others had it read-only
            runs = len(p.result["runs"])
            equal(docker("run", "--rm", "-v", "rogate-test-live:/v", "rogate/base:bookworm", "cat", "/v/count"), str(runs))
        finally:
            docker("volume", "rm", "rogate-test-live")


def test_live_data_stay_writable_where_a_split_keeps_them_so():
    with project() as p:
        os.makedirs(p.path("plain/state"))
        with open(p.path("plain/conf"), "w") as out:
            out.write("conf\n")
        with open(p.path("plain/state/file"), "w") as out:
            out.write("text\n")
        p.scenario(f"cat /plain/conf; grep -q text /plain/state/file && echo x >>/plain/state/file || exit 3; {IDLE}", ["./plain:/plain"], data="live")
        done = p.run()
        equal(p.verdicts(), {"/plain": "split"}, done.stdout + done.stderr)
        equal([each["path"] for each in p.mount("/plain")["writable"]], ["/plain/state"])
        with open(p.path("plain/state/file")) as file:
            text = file.read()
        assert text.startswith("text\nx\nx\n"), text


def test_live_data_are_for_one_scenario_at_a_time():
    with project() as p:
        p.make("plain", {"file": "text\n"})
        p.scenario(IDLE, ["./plain:/plain"], data="live", scenarios=[{"name": "a"}, {"name": "b"}])
        done = rogate("run", "--jobs", "2", p.folder)
        equal(done.returncode, 2)
        contains(done.stderr, "scenario 'a' has 'data: live'")
