"""A gate on real results: one that passes, one that fails on a new write, one that fails on an acceptance that has expired."""
import json
import subprocess

import jsonschema
import yaml

from support import IDLE, IMAGE, ROGATE, ROOT, contains, equal, project, rogate

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
        contains(first, "{path: /data/app.pid, operation: create, process: dash}", "path: '/data/tmp.{uuid}'")
        p.run()  # another random name
        contains(gate(p, "--lock", lock, code=0), "The gate says yes")
        gate(p, "--lock", lock, "--update-lock", code=0)
        with open(lock) as file:
            equal(file.read(), first, "a second run changed the lock file")

        p.scenario(WRITES + "cat /data/file; mkdir /data/new; " + IDLE, ["./data:/data"])
        p.run()
        out = gate(p, "--lock", lock, code=1)
        contains(out, "new: mkdir /data/new  succeeded  in entrypoint  by", "(run 1)", "gone: create /data/tmp.{uuid}",
                 "The gate says no")
        decision = json.loads(gate(p, "--lock", lock, "-f", "json", code=1))
        equal([(each["level"], each["rule"]) for each in decision["findings"]],
              [("fail", "new-write"), ("note", "gone-write")])
        contains(gate(p, "--lock", lock, "-f", "markdown", code=1), "### The gate says no", "- `new: mkdir /data/new")


def test_a_new_fixed_name_below_numbered_ones():
    """A lock with a name of digits lets no other name through; a shorter number of the same kind is none."""
    with project() as p:
        p.make("data", {"file": "text\n"})
        lock = p.path("rogate.lock.yaml")
        stamp = "set -e; cat /data/file; touch /data/$(date +%s) /data/run-$$; "
        p.scenario(stamp + IDLE, ["./data:/data"])
        p.run()
        gate(p, "--lock", lock, "--update-lock", code=0)
        with open(lock) as file:
            contains(file.read(), "path: '/data/{number}'")
        p.scenario(stamp + "touch /data/authorized_keys; " + IDLE, ["./data:/data"])
        p.run()
        contains(gate(p, "--lock", lock, code=1), "new: create /data/authorized_keys")


def test_a_split_in_which_a_write_still_fails():
    """It is left to fail in the recommended arrangement, which nobody agreed to."""
    with project() as p:
        p.make("data", {"conf": "a=1\n"})
        p.make("data/db", {"seed": "rows\n"})
        p.scenario("cat /data/conf; echo started >>/data/audit.log; echo 1 >/data/db/x || exit 3; " + IDLE, ["./data:/data"])
        p.run()
        out = gate(p, code=1)
        contains(out, "still failed in the split", "/data/audit.log", "nobody accepts it")
        policy = write(p, "policy.yaml", "writes: [{path: /data/audit.log, reason: r}]\n")
        gate(p, "--policy", policy, code=0)


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


def test_since_and_a_mode_from_the_env_file():
    """The Compose file is read with the .env of each revision; what git does not know of cannot be told."""
    with project() as p:
        def git(*words):
            subprocess.run(["git", "-C", p.folder, "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, capture_output=True)

        def ask(code, *words):
            done = subprocess.run([ROGATE, *words], cwd=p.folder, capture_output=True, text=True, timeout=200)
            equal(done.returncode, code, done.stdout + done.stderr)
            return done.stdout + done.stderr

        p.make("data", {"f": "x\n"})
        write(p, "compose.yaml", "services:\n  web:\n    image: " + IMAGE + "\n    command: [sh, -c, 'cat /data/f; echo x > /data/w || exit 1']\n"
              "    volumes: [\"./data:/data:${MODE}\"]\n")
        write(p, ".env", "MODE=rw\n")
        git("init", "-q", "-b", "main", ".")
        git("add", "-A")
        git("commit", "-qm", "writable")
        ask(0, "gate", "--since", "HEAD")
        write(p, ".env", "MODE=ro\n")
        contains(ask(4, "gate", "--since", "HEAD"), "web /data", "compose.yaml:5")
        ask(0, "run", "--since", "HEAD", "compose.yaml", "--service", "web", "--out", "out")
        contains(ask(1, "gate", "--since", "HEAD", "out"), "was made read-only since HEAD", "has to be written to")
        write(p, ".gitignore", ".env\n")
        git("rm", "-q", "--cached", ".env")
        git("add", "-A")
        git("commit", "-qm", "not tracked")
        contains(ask(4, "gate", "--since", "HEAD"), "cannot be told", "MODE")
        contains(ask(4, "run", "--since", "HEAD", "compose.yaml", "--service", "web"), "cannot be told")
