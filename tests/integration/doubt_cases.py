"""Every doubt ends in inconclusive, never in safe."""
from support import IDLE, contains, docker, equal, project


def test_lost_events_are_never_safe():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"], [{"name": "waits", "wait": "3s"}])
        with p.running("--ring-bytes", "4096") as running:
            running.wait_for("step waits")
            observer = docker("ps", "-q", "--filter", "label=io.rogate.role=observer")
            subject = docker("ps", "-q", "--filter", "label=io.rogate.role=subject")
            # An observer that is stopped takes nothing out of its buffer, so that one page of it must overflow.
            docker("kill", "--signal", "STOP", observer)
            docker("exec", subject, "sh", "-c", "for i in $(seq 300); do : >/tmp/f$i; done")
            docker("kill", "--signal", "CONT", observer)
        equal(running.code, 4, running.output)
        equal(p.verdicts(), {"/data": "inconclusive"})
        contains(p.mount("/data")["reason"], "events were lost")


def test_killed_observer_is_never_safe():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"], [{"name": "waits", "wait": "3s"}])
        with p.running() as running:
            running.wait_for("step waits")
            docker("kill", docker("ps", "-q", "--filter", "label=io.rogate.role=observer"))
        equal(running.code, 4, running.output)
        equal(p.verdicts(), {"/data": "inconclusive"})
        contains(p.mount("/data")["reason"], "observer")
