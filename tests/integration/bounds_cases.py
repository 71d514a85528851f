"""What a command may take."""
import json

from support import contains, equal, fingerprint, project
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
        done = p.run("--max-runs", "3")
        equal(done.returncode, 4, done.stdout + done.stderr)
        equal([result(p, name) for name in ("first", "second", "third")],
              [{"/in": "safe"}, {"/in": "inconclusive"}, {"/in": "inconclusive"}], done.stdout)
        with open(p.path("out/third/result.json")) as file:
            equal(json.load(file)["runs"], [])
