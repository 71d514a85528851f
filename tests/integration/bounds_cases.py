"""What a command may take, and what its runs may reach."""
import json

from steps_cases import serve
from support import contains, docker, equal, fingerprint, project
from system_cases import result, service


def test_time_that_is_over_ends_the_run():
    """Whatever is under way then: run_case looks for what is left on the engine."""
    with project() as p:
        p.make("data", {"kept": "k\n"})
        p.scenario("cat /data/kept; echo started; exec sleep 600", ["./data:/data"],
                   [{"name": "waits", "exec": "sleep 600", "timeout": "15m"}])
        before = fingerprint(p.path("data"))
        done = p.run("--max-time", "8s")
        equal((done.returncode, p.verdicts()), (4, {"/data": "inconclusive"}), done.stdout + done.stderr)
        equal((p.result["stopped"], p.result["runs"]), ("--max-time 8s is over", []))
        contains(p.mount("/data")["reason"], "no run was made, since --max-time 8s is over")
        contains(done.stdout, "Not all was asked: --max-time 8s is over")
        equal(fingerprint(p.path("data")), before, "the user's data changed")


def test_services_share_their_runs():
    with project() as p:
        p.make("shared", {"old": "text\n"})
        with open(p.path("compose.yaml"), "w") as out:
            out.write("services:\n"
                      "  first: {%s}\n" % service("cat /in/old", "volumes: ['./shared:/in']") +
                      "  second: {%s}\n" % service("cat /in/old", "volumes: ['./shared:/in']") +
                      "  third: {%s}\n" % service("cat /in/old", "volumes: ['./shared:/in']"))
        names = ("first", "second", "third")
        # One campaign of all of them, whose second run is not made.
        done = p.run("--max-runs", "1")
        equal(done.returncode, 4, done.stdout + done.stderr)
        equal([result(p, name) for name in names], [{"/in": "inconclusive"}] * 3, done.stdout)
        # ptrace watches one container, so that each has a campaign of its own.
        done = p.run("--max-runs", "3", "--observer", "ptrace")
        equal(done.returncode, 4, done.stdout + done.stderr)
        equal([result(p, name) for name in names], [{"/in": "safe"}, {"/in": "inconclusive"}, {"/in": "inconclusive"}], done.stdout)
        with open(p.path("out/third/result.json")) as file:
            equal(json.load(file)["runs"], [])


def test_offline_reaches_its_own_network_alone():
    """The engine keeps it so; requests of steps get there all the same."""
    with project() as p:
        serve(p, [{"name": "asks", "http": {"path": "/"}}, {"name": "on", "exec": "sleep 2"}])
        with p.running("--offline") as running:
            running.wait_for("step on")
            network = docker("network", "ls", "--filter", "label=io.rogate.session", "--format", "{{.ID}}")
            equal(docker("network", "inspect", "--format", "{{.Internal}}", network), "true")
        equal((running.code, p.result["runs"][0]["passed"]), (0, True), running.output)
        done = p.run("--offline", "--requests", "ports")
        equal(done.returncode, 2)
        contains(done.stderr, "--offline and --requests ports exclude each other")


def test_root_of_every_container():
    with project() as p:
        p.make("shared", {"old": "text\n"})
        with open(p.path("compose.yaml"), "w") as out:
            out.write("services:\n"
                      "  reader: {%s}\n" % service("cat /in/old", "volumes: ['./shared:/in']") +
                      "  writer: {%s}\n" % service("date > /new || exit 3", "volumes: ['./shared:/in:ro']"))
        done = p.run("--rootfs")
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal([result(p, name) for name in ("reader", "writer")],
              [{"/": "safe", "/in": "safe"}, {"/": "required", "/in": "already-ro"}], done.stdout)
