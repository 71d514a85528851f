"""How few runs settle many mounts, and what is found out before any run."""
from support import IDLE, equal, project


def many(p, number, shell):
    for i in range(number):
        p.make(f"m{i}", {"file": "text\n"})
    p.scenario(f"cat /m*/file; {shell}; " + IDLE, [f"./m{i}:/m{i}" for i in range(number)])
    done = p.run()
    counts = {}
    for verdict in p.verdicts().values():
        counts[verdict] = counts.get(verdict, 0) + 1
    return counts, len(p.result["runs"]), done.stdout + done.stderr


def test_one_of_many_is_needed():
    with project() as p:
        counts, runs, output = many(p, 10, "touch /m7/x || exit 3")
        equal(counts, {"safe": 9, "required": 1}, output)
        equal(runs, 3)
        equal(p.mount("/m7")["reason"].split(":")[0], "read-only fails ready")
        equal({a["path"] for a in p.mount("/m7")["attempts"]}, {"/m7/x"})


def test_five_of_fifty_write():
    """Three can do without, two cannot, and what comes in between makes it hard to tell who is to blame."""
    with project() as p:
        counts, runs, output = many(p, 50, "touch /m1/x; touch /m9/x || exit 3; touch /m20/x; touch /m30/x || exit 4; touch /m40/x")
        equal(counts, {"safe": 45, "tolerated": 3, "required": 2}, output)
        equal({each["target"] for each in p.result["mounts"] if each["verdict"] == "required"}, {"/m9", "/m30"})
        assert runs <= 7, runs
        advice = p.result["recommendation"]
        equal(len(advice["read_only"]), 48)
        proof = next(each for each in p.result["runs"] if each["id"] == advice["verified_by_run"])
        equal((proof["read_only"], proof["passed"]), (advice["read_only"], True))
        for target in advice["read_only"]:
            equal(proof["canary"][target], "seen", target)
