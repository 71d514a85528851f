"""Places that stay writable: a tmpfs is what it has to be, and what is recommended behaves in use as in the run."""
import json
import subprocess
import threading

from support import IDLE, IMAGE, contains, engine_is_podman, equal, needs_ebpf, project, rogate, skip_unless

ROOT = "of a read-only root podman's runs show nothing"


def places(p, target="/"):
    return {each["path"]: (each["as"], each["tmpfs_options"]) for each in p.mount(target)["writable"]}


def one_at_a_time(file):
    """Refuses to start beside another one of its kind; leaves nothing when told to end."""
    return (f"if [ -e {file} ] && kill -0 $(cat {file}) 2>/dev/null; then echo already running; exit 1; fi;"
            f"trap 'rm -f {file}; exit 0' TERM; echo $$ >{file} || exit 1; echo started; sleep infinity & wait $!")


def test_a_pid_file_beside_empty_directories_takes_a_tmpfs():
    """Debian's /run holds an empty directory, /run/lock. What is written is seen by way of /var/run."""
    skip_unless(not engine_is_podman(), ROOT)
    with project() as p:
        p.scenario(one_at_a_time("/var/run/app.pid"), [], [{"name": "is there", "exec": "true"}], candidates=["/"])
        done = p.run()
        equal(p.verdicts(), {"/": "split"}, done.stdout + done.stderr)
        equal(places(p), {"/run": ("tmpfs", "mode=0755")})
        equal(len(p.result["runs"]), 3)


def test_directories_that_a_tmpfs_hides_are_its_own():
    skip_unless(not engine_is_podman(), ROOT)
    with project() as p:
        p.scenario("echo $$ >/run/app.pid && echo $$ >/run/lock/app.lock || exit 3; " + IDLE, [],
                   [{"name": "is there", "exec": "true"}], candidates=["/"])
        done = p.run()
        equal(p.verdicts(), {"/": "split"}, done.stdout + done.stderr)
        equal(places(p), {"/run": ("tmpfs", "mode=0755"), "/run/lock": ("tmpfs", "mode=1777")})


def test_what_the_application_makes_itself_is_not_read_back():
    """It lists its folder, reads what it has just made there, and renames."""
    skip_unless(not engine_is_podman(), ROOT)
    needs_ebpf()
    with project() as p:
        p.make("data", {"conf": "text\n"})
        p.make("data/cache", {})
        shell = ("cd /data/cache; rm -f *; ls; echo one >new || exit 3; mv new page; cat page; ls; cat page; cat /data/conf;"
                 "trap 'rm -f /data/cache/page; exit 0' TERM; echo started; sleep infinity & wait $!")
        p.scenario(shell, ["./data:/data"])
        done = p.run()
        equal(p.verdicts(), {"/data": "split"}, done.stdout + done.stderr)
        equal(places(p, "/data"), {"/data/cache": ("tmpfs", "mode=0755")})


def test_what_is_executed_takes_exec():
    """Nobody notices that it is not: the shell goes on. And what is only mapped counts as well."""
    skip_unless(not engine_is_podman(), ROOT)
    needs_ebpf()
    for use in ("/tmp/tool", "/lib64/ld-linux-x86-64.so.2 /tmp/tool", "test -x /tmp/tool"):
        with project() as p:
            p.scenario(f"cp /bin/true /tmp/tool || exit 3; {use}; " + IDLE, [], candidates=["/"])
            done = p.run()
            equal(p.verdicts(), {"/": "split"}, done.stdout + done.stderr)
            equal(places(p), {"/tmp": ("tmpfs", "mode=1777,exec")}, use)


def test_what_is_only_written_takes_no_exec():
    skip_unless(not engine_is_podman(), ROOT)
    with project() as p:
        p.scenario("cp /bin/true /tmp/tool || exit 3; chmod 644 /tmp/tool; /tmp/tool; cat /tmp/tool >/dev/null; " + IDLE, [],
                   candidates=["/"])
        done = p.run()
        equal(places(p), {"/tmp": ("tmpfs", "mode=1777")}, done.stdout)


def test_a_volume_that_keeps_a_stale_pid_file_is_not_recommended():
    """By its name the folder is none for passing things, so that a new container would find what a killed one has left."""
    skip_unless(not engine_is_podman(), ROOT)
    with project() as p:
        p.scenario("mkdir -p /srv/state; " + one_at_a_time("/srv/state/owner"), [], [{"name": "is there", "exec": "true"}],
                   candidates=["/"])
        done = p.run()
        equal(p.verdicts(), {"/": "required"}, done.stdout + done.stderr)
        last = p.result["runs"][-1]
        assert last["crashes"] and not last["passed"], last
        equal(last["phases"][-2]["name"], "again: start after a crash")
        contains(p.mount("/")["reason"], "with /srv as a volume it does not start again after a crash (run 3)")


def test_a_fallback_that_was_never_needed_is_taken_out():
    """Where the first folder can be written, the second is left alone."""
    skip_unless(not engine_is_podman(), ROOT)
    with project() as p:
        p.scenario("echo $$ >/run/app.pid || echo $$ >/var/tmp/app.pid || exit 3; " + IDLE, [],
                   [{"name": "is there", "exec": "true"}], candidates=["/"])
        done = p.run()
        equal(p.verdicts(), {"/": "split"}, done.stdout + done.stderr)
        equal(places(p), {"/run": ("tmpfs", "mode=0755")})
        equal([each["path"] for each in p.result["recommendation"]["writable"]], ["/run"])


def manifest(p, shell):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shop"},
           "spec": {"containers": [{"name": "web", "image": IMAGE, "command": ["sh", "-c", shell]}]}}
    with open(p.path("pod.yaml"), "w") as out:
        json.dump(pod, out)
    with open(p.path("scenario.yaml"), "w") as out:
        json.dump({"name": "case", "subject": {"kubernetes": {"file": "pod.yaml"}}, "candidates": ["/"],
                   "ready": {"timeout": "15s", "log": "started"}, "steps": [{"name": "is there", "exec": "true"}]}, out)


def test_in_a_pod_a_tmpfs_is_an_empty_dir():
    skip_unless(not engine_is_podman(), ROOT)
    with project() as p:
        manifest(p, "echo $$ >/run/app.pid && stat -c %a /run || exit 3; " + IDLE)
        done = p.run()
        equal(p.verdicts(), {"/": "split"}, done.stdout + done.stderr)
        equal(places(p), {"/run": ("tmpfs", "mode=0777,exec")})


def test_in_a_pod_what_wants_another_mode_gets_another_offer():
    """An emptyDir is open to everybody; this one refuses such a folder."""
    skip_unless(not engine_is_podman(), ROOT)
    with project() as p:
        manifest(p, "[ $(stat -c %a /run) = 755 ] && echo $$ >/run/app.pid || exit 3; " + IDLE)
        done = p.run()
        equal(p.verdicts(), {"/": "split"}, done.stdout + done.stderr)
        equal(places(p), {"/run": ("volume", "")})
        patch = rogate("patch", p.path("out/result.json"), "--file", p.path("pod.yaml"))
        equal(patch.returncode, 0, patch.stderr)
        contains(patch.stdout, "fill-web-run", "/run/.")


class Inspector(threading.Thread):
    """What the engine says of every container of rogate's subject, while there is one."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = {}
        self.events = subprocess.Popen(["docker", "events", "--filter", "label=io.rogate.role=subject", "--filter", "event=start",
                                        "--format", "{{.ID}}"], stdout=subprocess.PIPE, text=True)

    def run(self):
        for line in self.events.stdout:
            found = subprocess.run(["docker", "inspect", line.strip()], capture_output=True, text=True)
            if found.returncode == 0:
                whole = json.loads(found.stdout)[0]
                self.seen[whole["Config"]["Labels"]["io.rogate.run"]] = whole["HostConfig"]

    def stop(self):
        self.events.kill()
        self.join()


def test_what_is_written_is_what_the_run_had():
    """Each tmpfs of the patch, option by option."""
    skip_unless(not engine_is_podman(), ROOT)
    needs_ebpf()
    for write in ("compose", "command"):
        with project() as p:
            shell = "echo $$ >/run/app.pid && cp /bin/true /tmp/tool && /tmp/tool && date >/var/log/app.log || exit 3; " + IDLE
            compose = {"name": "shop", "services": {"web": {"image": IMAGE, "command": ["sh", "-c", shell.replace("$", "$$")]}}}
            with open(p.path("compose.yaml"), "w") as out:
                json.dump(compose, out, indent=2)
            with open(p.path("scenario.yaml"), "w") as out:
                json.dump({"name": "case", "subject": {"compose": {"file": "compose.yaml", "service": "web"}}, "candidates": ["/"],
                           "ready": {"timeout": "15s", "log": "started"}}, out)
            inspector = Inspector()
            inspector.start()
            done = p.run()
            inspector.stop()
            equal(p.verdicts(), {"/": "split"}, done.stdout + done.stderr)
            had = inspector.seen[str(p.result["recommendation"]["verified_by_run"])]
            equal(had["ReadonlyRootfs"], True)
            equal(had["Tmpfs"], {"/run": "mode=0755", "/tmp": "mode=1777,exec"})
            if write == "compose":
                patch = rogate("patch", p.path("out/result.json"), "--in-place", "--root", p.folder)
                equal(patch.returncode, 0, patch.stderr)
                with open(p.path("compose.yaml")) as file:
                    service = json.load(file)["services"]["web"]
                written = dict(each.split(":", 1) for each in service["tmpfs"])
                equal(service["volumes"], ["web_var_log:/var/log"])
            else:
                patch = rogate("patch", p.path("out/result.json"), "--command", f"docker run {IMAGE}")
                equal(patch.returncode, 0, patch.stderr)
                words = patch.stdout.split()
                written = dict(words[i + 1].split(":", 1) for i, word in enumerate(words) if word == "--tmpfs")
                contains(patch.stdout, "-v case_var_log:/var/log")
            equal(written, had["Tmpfs"])


