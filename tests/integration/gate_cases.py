"""A gate on real results: one that passes, one that fails on a new write, one that fails on an acceptance that has expired."""
import json

import jsonschema
import yaml

from support import IDLE, ROOT, contains, equal, project, rogate

WRITES = "set -e; echo x >/data/app.pid; "
TRIES = "touch /etc/app/stamp 2>/dev/null || true; cat /etc/app/conf; "


def validated(path, schema):
    with open(path) as file:
        content = yaml.load(file, Loader=yaml.BaseLoader)
    with open(f"{ROOT}/scenarios/{schema}") as file:
        jsonschema.validate(content, json.load(file))


def gate(p, *words, code):
    done = rogate("gate", p.path("out/result.json"), *words)
    equal(done.returncode, code, done.stdout + done.stderr)
    return done.stdout


def write(p, name, text):
    with open(p.path(name), "w") as file:
        file.write(text)
    return p.path(name)


def test_new_write():
    with project() as p:
        p.make("data", {"file": "text\n"})
        lock = p.path("rogate.lock.yaml")
        p.scenario(WRITES + "cat /data/file; echo x >/data/tmp.$(cat /proc/sys/kernel/random/uuid); " + IDLE, ["./data:/data"])
        p.run()
        equal(rogate("gate", p.path("out/result.json"), "--lock", lock).returncode, 2)
        gate(p, "--lock", lock, "--update-lock", code=0)
        validated(lock, "lock.schema.json")
        with open(lock) as file:
            first = file.read()
        contains(first, "{path: /data/app.pid, operation: create, process: dash}", "path: '/data/tmp.*'")
        p.run()  # another random name
        contains(gate(p, "--lock", lock, code=0), "The gate says yes")
        gate(p, "--lock", lock, "--update-lock", code=0)
        with open(lock) as file:
            equal(file.read(), first, "a second run changed the lock file")

        p.scenario(WRITES + "cat /data/file; mkdir /data/new; " + IDLE, ["./data:/data"])
        p.run()
        out = gate(p, "--lock", lock, code=1)
        contains(out, "new: mkdir /data/new  succeeded  in entrypoint  by", "(run 1)", "gone: create /data/tmp.*",
                 "The gate says no")
        decision = json.loads(gate(p, "--lock", lock, "-f", "json", code=1))
        equal([(each["level"], each["rule"]) for each in decision["findings"]],
              [("fail", "new-write"), ("note", "gone-write")])
        contains(gate(p, "--lock", lock, "-f", "markdown", code=1), "### The gate says no", "- `new: mkdir /data/new")


def test_expired_acceptance():
    with project() as p:
        p.make("etc", {"conf": "text\n"})
        p.scenario(TRIES + IDLE, ["./etc:/etc/app"])
        p.run()
        equal(p.verdicts(), {"/etc/app": "tolerated"})
        out = gate(p, code=1)
        contains(out, "/etc/app", "failed that would have changed something", "reason:")
        policy = write(p, "policy.yaml", """writes:
  - path: /etc/app/stamp
    process: touch
    reason: the stamp is for humans
    by: Ada
    until: 2026-06-30
""")
        validated(policy, "policy.schema.json")
        contains(gate(p, "--policy", policy, "--today", "2026-06-30", code=0), "The gate says yes", "which is today")
        out = gate(p, "--policy", policy, "--today", "2026-07-02", code=1)
        contains(out, "accepted by Ada until 2026-06-30 (", "policy.yaml:2:5), which is 2 days ago", "the stamp is for humans")


def test_read_only_mounts():
    with project() as p:
        p.make("etc", {"conf": "text\n"})
        policy = write(p, "policy.yaml", "mounts: [{target: /etc/app, must_be_read_only: true}]\n")
        p.scenario("cat /etc/app/conf; " + IDLE, ["./etc:/etc/app"])
        p.run()
        contains(gate(p, "--policy", policy, code=1), "has to be read-only", "Mount it read-only")
        p.scenario("cat /etc/app/conf; " + IDLE, ["./etc:/etc/app:ro"])
        p.run()
        gate(p, "--policy", policy, code=0)


def test_bad_input():
    with project() as p:
        p.make("etc", {"conf": "text\n"})
        p.scenario("cat /etc/app/conf; false", ["./etc:/etc/app"])
        p.run()
        policy = write(p, "policy.yaml", "writes:\n  - {path: /x, reson: r}\n")
        done = rogate("gate", p.path("out/result.json"), "--policy", policy)
        equal(done.returncode, 2)
        contains(done.stderr, "policy.yaml:2:16: unknown key 'reson'", "did you mean 'reason'?")
        # The scenario failed as it is configured: nothing can be said, and nothing else is wrong.
        contains(gate(p, code=4), "The gate cannot tell")
        equal(rogate("gate", p.path("out/result.json"), p.path("out/result.json")).returncode, 2)
        equal(rogate("gate", p.path("out/result.json"), "--today", "someday").returncode, 2)
        equal(rogate("gate", p.path("missing.json")).returncode, 2)
