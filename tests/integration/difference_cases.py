"""What the application leaves out, or does elsewhere, when a mount is read-only."""
import os

from support import IDLE, contains, equal, needs_ebpf, project, rogate


def runs(p):
    return [(run["kind"], run["read_only"]) for run in p.result["runs"]]


def left_out(mount):
    return [(each["operation"], each["path"]) for each in mount.get("left_out", [])]


def test_a_write_left_out_on_another_mount():
    with project() as p:
        p.make("cfg", {"app.conf": "a=1\n"})
        p.make("data", {"orders": "order\n"})
        p.scenario("cat /cfg/app.conf; if [ -w /cfg ]; then echo order >>/data/orders; fi; " + IDLE, ["./cfg:/cfg", "./data:/data"],
                   candidates=["/cfg"])
        done = p.run()
        equal(p.verdicts(), {"/cfg": "tolerated"}, done.stdout + done.stderr)
        contains(p.mount("/cfg")["reason"], "leaves out open-write /data/orders by sh", "access /cfg by sh was refused (EROFS)")
        equal(left_out(p.mount("/cfg")), [("open-write", "/data/orders")])
        contains(done.stdout, "left out: open-write /data/orders")
        # The control run and the probe run, each three times.
        equal(runs(p), [("control", []), ("probe", ["/cfg"]), ("probe", ["/cfg"]), ("control", []), ("control", []), ("probe", ["/cfg"])])
        equal(p.mount("/cfg")["runs"], [1, 4, 5, 2, 3, 6])


def test_the_one_to_blame_is_found():
    with project() as p:
        for name in ("a", "b", "c", "data"):
            p.make(name, {"file": "text\n"})
        p.scenario("cat /a/file /b/file /c/file; touch /c/log 2>/dev/null; grep -q ' /b .*[ ,]ro[ ,]' /proc/mounts || date >/data/stamp; " + IDLE,
                   ["./a:/a", "./b:/b", "./c:/c", "./data:/data"], candidates=["/a", "/b", "/c"])
        done = p.run()
        equal(p.verdicts(), {"/a": "safe", "/b": "tolerated", "/c": "tolerated"}, done.stdout + done.stderr)
        equal(left_out(p.mount("/b")), [("create", "/data/stamp")])
        equal(left_out(p.mount("/c")), [])


def test_names_that_vary_are_not_left_out():
    """Neither those that mktemp makes nor words without a form; what is made by chance is no difference either."""
    with project() as p:
        p.make("cfg", {"file": "text\n"})
        p.make("data", {"file": "text\n"})
        p.scenario("cat /cfg/file; mktemp /data/job.XXXXXX; touch /data/$(tr -dc a-z </dev/urandom | head -c 9) /data/$(date +%s%N); " + IDLE,
                   ["./cfg:/cfg", "./data:/data"], candidates=["/cfg"])
        done = p.run()
        equal(p.verdicts(), {"/cfg": "safe"}, done.stdout + done.stderr)
        contains(p.mount("/cfg")["reason"], "watched through no step, ")
        assert len(p.result["runs"]) <= 6, runs(p)


def test_a_mount_that_falls_out_of_use():
    needs_ebpf()
    with project() as p:
        p.make("cache", {"answer": "ready-made\n"})
        p.scenario("if [ -w /cache ]; then cat /cache/answer; else echo computed >/tmp/answer-0; fi; " + IDLE, ["./cache:/cache"])
        done = p.run()
        equal(p.verdicts(), {"/cache": "tolerated"}, done.stdout + done.stderr)
        contains(p.mount("/cache")["reason"], "no longer opens anything on it", "it does create /tmp/answer-0 by sh instead", "access /cache by sh")
        equal(p.mount("/cache")["unused"], ["/cache"])


def test_a_bind_that_the_subject_makes():
    admin = {"cap_add": ["SYS_ADMIN"], "security_opt": ["seccomp=unconfined", "apparmor=unconfined"]}
    with project() as p:
        p.make("data", {"f": "x\n"})
        p.scenario("""cat /data/f; mkdir /mnt/view; mount --bind /data /mnt/view
                   case $(findmnt -n -o VFS-OPTIONS /mnt/view) in rw*) echo important >/mnt/view/new ;; esac; """ + IDLE, ["./data:/data"], subject=admin)
        done = p.run()
        assert p.mount("/data")["verdict"] != "safe", done.stdout + done.stderr


def test_a_split_that_leaves_something_out():
    with project() as p:
        p.scenario("[ ! -w /etc ] || date >/etc/stamp; mkdir /opt/work || exit 3; " + IDLE, [], [{"name": "works", "exec": "ls /opt/work"}],
                   candidates=["/"])
        done = p.run()
        equal(p.verdicts(), {"/": "split"}, done.stdout + done.stderr)
        if left_out(p.mount("/")):
            contains(p.mount("/")["reason"], "leaves out create /etc/stamp by sh")
        else:
            assert any(each["path"].startswith("/etc") for each in p.mount("/")["writable"]), p.mount("/")


def test_what_is_only_asked_about_is_untested():
    needs_ebpf()
    with project() as p:
        p.make("data", {"f": "x\n"})
        p.scenario("test -w /data; " + IDLE, ["./data:/data"])
        done = p.run()
        equal(p.verdicts(), {"/data": "untested"}, done.stdout + done.stderr)
        contains(p.mount("/data")["reason"], "only asked whether it is writable")


def test_the_reason_names_what_decided():
    with project() as p:
        p.make("data", {"f": "x\n"})
        checks = ('for i in 1 2 3 4 5 6; do echo "checking part $i of the store, this takes a while and is fine so far"; done;'
                  'touch /data/lock || { echo "Fatal: no lock on /data"; exit 2; }')
        p.scenario("cat /data/f; " + IDLE, ["./data:/data"], [{"name": "checks", "exec": ["sh", "-c", checks]}])
        done = p.run()
        equal(p.verdicts(), {"/data": "required"}, done.stdout + done.stderr)
        contains(p.mount("/data")["reason"], "Fatal: no lock on /data", "; refused: ", " /data/lock by touch")


def test_a_no_op_alone_decides():
    with project() as p:
        p.make("data", {"f": "x\n"})
        p.scenario("chown 0:0 /data/f || exit 4; cat /data/f; " + IDLE, ["./data:/data"])
        done = p.run()
        equal(p.verdicts(), {"/data": "required"}, done.stdout + done.stderr)
        contains(p.mount("/data")["reason"], "only by a no-op (chown to the owner it has: chown /data/f by chown)", "run as that user")


def test_a_save_that_fails_at_the_end_is_not_hidden_by_a_hint():
    with project() as p:
        p.make("save", {"old": "x\n"})
        p.scenario("trap 'echo state >/save/state && exit 0; echo cannot save' TERM; cat /save/*; echo started; while :; do sleep 1000 & wait $!; done",
                   ["./save:/save"], shutdown={"timeout": "2s"})
        done = p.run()
        equal(p.verdicts(), {"/save": "required"}, done.stdout + done.stderr)
        reason = p.mount("/save")["reason"]
        contains(reason, "did not stop within", "control run", "refused: create /save/state by sh")
        assert "KILL" not in reason, reason


def test_the_gate_asks_for_real_data_and_for_time():
    with project() as p:
        p.make("data", {"f": "x\n"})
        p.make("other", {"f": "y\n"})
        p.scenario("cat /data/f; " + IDLE, ["./data:/data"], fixtures=[{"target": "/data", "from": "other"}])
        done = p.run()
        equal(p.verdicts(), {"/data": "safe"}, done.stdout + done.stderr)
        contains(p.mount("/data")["reason"], "the runs had a fixture there")
        equal(p.mount("/data")["made_up"], "a fixture")
        for require, wanted in (("real-data", "made-up-data"), ("{watched: 10m}", "watched-too-little"), ("{steps: 1}", "watched-too-little")):
            with open(p.path("policy.yaml"), "w") as out:
                out.write(f"require: {require}\n")
            gate = rogate("gate", p.path("out/result.json"), "--policy", p.path("policy.yaml"), "--format", "json")
            equal(gate.returncode, 1, gate.stdout + gate.stderr)
            contains(gate.stdout, wanted)
        os.remove(p.path("policy.yaml"))
        equal(rogate("gate", p.path("out/result.json")).returncode, 0)
