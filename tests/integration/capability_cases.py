"""Which capabilities applications need, made for each that a container has by default (programs/capabilities.c)."""
import json
import os
import shutil
import struct

from support import IDLE, IMAGE, ROGATE, contains, equal, needs_ebpf, needs_root, project

PROGRAMS = os.path.join(os.path.dirname(ROGATE), "tests", "programs")
DEFAULT = ["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP",
           "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]
# docker lets everybody have the ports below 1024 otherwise.
PORTS_ARE_ROOTS = {"net.ipv4.ip_unprivileged_port_start": "1024"}


def make_data(p):
    """What programs/capabilities.c finds in its folder."""
    p.make("data", {"his": "text\n", "group": "text\n"})
    os.chown(p.path("data/his"), 1000, 0)
    os.chmod(p.path("data/his"), 0o600)
    os.chown(p.path("data/group"), 0, 1000)


def program(p, *words, **subject):
    p.scenario("", [f"{PROGRAMS}/capabilities:/capabilities:ro", "./data:/data"],
               subject={"command": ["/capabilities", "/data", *words], **subject}, ready=None,
               harden=["capabilities", "no-new-privileges"])


def verdicts(p):
    return {each["name"]: each["verdict"] for each in p.result["capabilities"]}


def capability(p, name):
    return next(each for each in p.result["capabilities"] if each["name"] == name)


def test_each_is_found_and_kept():
    needs_ebpf()
    needs_root()
    with project() as p:
        make_data(p)
        program(p, *DEFAULT, sysctls=PORTS_ARE_ROOTS)
        done = p.run()
        equal(verdicts(p), {**{name: "needed" for name in DEFAULT}, "no-new-privileges": "unused"}, done.stdout)
        equal(done.returncode, 0)
        calls = {name: {check["call"] for check in capability(p, name)["checks"] if check["errno"] == "ok"} for name in DEFAULT}
        for name, call in (("CHOWN", "chown"), ("NET_BIND_SERVICE", "bind"), ("NET_RAW", "socket"), ("KILL", "kill"), ("FOWNER", "chmod"),
                           ("SETUID", "setuid"), ("SYS_CHROOT", "chroot"), ("SETPCAP", "prctl"), ("SETFCAP", "setxattr")):
            assert call in calls[name], calls
        # What the overlay of the runs' data does by its own right is no need of the subject's.
        equal(calls["CHOWN"], {"chown"})
        equal(capability(p, "CHOWN")["checks"][0]["comm"], "capabilities")
        contains(done.stdout, "by capabilities for chown")
        equal(p.result["recommendation"]["no_new_privileges"], True)
        assert "capabilities" not in p.result["recommendation"], "all stay"


def test_what_is_not_used_is_dropped_with_the_mounts():
    needs_ebpf()
    needs_root()
    with project() as p:
        make_data(p)
        p.make("conf", {"file": "text\n"})
        # Ports are everybody's here; what MKNOD refuses is nobody's loss.
        shell = "cat /conf/file; /capabilities /data try MKNOD; /capabilities /data CHOWN NET_BIND_SERVICE || exit 3; " + IDLE
        p.scenario(shell, [f"{PROGRAMS}/capabilities:/capabilities:ro", "./data:/data", "./conf:/conf"],
                   harden=["mounts", "capabilities", "no-new-privileges"])
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(verdicts(p), {**{name: "unused" for name in DEFAULT}, "CHOWN": "needed", "MKNOD": "tolerated", "no-new-privileges": "unused"},
              done.stdout)
        advice = p.result["recommendation"]
        equal((advice["read_only"], advice["capabilities"], advice["no_new_privileges"]), (["/conf"], ["CHOWN"], True))
        run = next(each for each in p.result["runs"] if each["id"] == advice["verified_by_run"])
        equal((run["read_only"], run["capabilities"], run["no_new_privileges"], run["passed"]), (["/conf"], ["CHOWN"], True, True))
        equal({each["errno"] for each in capability(p, "MKNOD")["checks"]}, {"ok", "EPERM"})
        contains(done.stdout, "drop all and add CHOWN")


def test_what_programs_gain():
    """A file capability and a setuid program, by another user: the kernel executes neither as before without what they bring."""
    needs_ebpf()
    needs_root()
    with project() as p:
        make_data(p)
        os.makedirs(p.path("p"))
        for name in ("raw", "root"):
            shutil.copy(f"{PROGRAMS}/capabilities", p.path(f"p/{name}"))
        net_raw = 1 << 13
        os.setxattr(p.path("p/raw"), "security.capability", struct.pack("<5I", 0x02000001, net_raw, 0, 0, 0))
        os.chmod(p.path("p/root"), 0o4755)
        p.scenario("/p/raw /data NET_RAW || exit 3; /p/root /data try SYS_CHROOT; " + IDLE, ["./p:/p:ro", "./data:/data"],
                   subject={"user": "1000:1000"}, harden=["capabilities", "no-new-privileges"])
        done = p.run()
        equal(verdicts(p), {**{name: "unused" for name in DEFAULT}, "NET_RAW": "needed", "SYS_CHROOT": "tolerated",
                            "no-new-privileges": "needed"}, done.stdout + done.stderr)
        equal(p.result["recommendation"]["capabilities"], ["NET_RAW"])


def test_a_worker_says_nothing_of_its_server():
    """Both have one name. The worker is refused the file as it is configured; the server owns it, as long as it may take it over."""
    needs_ebpf()
    needs_root()
    with project() as p:
        make_data(p)
        p.make("p", {"server": """#!/usr/bin/perl
            if (!fork) { $( = $) = 1001; $< = $> = 1001; open(F, '>>', '/data/his'); exit 0 }
            wait; chown 0, 0, '/data/his'; open(F, '>>', '/data/his');"""})
        p.scenario("perl /p/server; " + IDLE, ["./p:/p:ro", "./data:/data"],
                   subject={"cap_drop": ["ALL"], "cap_add": ["CHOWN", "DAC_OVERRIDE", "KILL", "SETUID", "SETGID"]},
                   harden=["capabilities"])
        done = p.run()
        found = verdicts(p)
        equal((found["DAC_OVERRIDE"], found["KILL"]), ("tolerated", "unused"), done.stdout + done.stderr)


def test_what_is_refused_for_another_reason_says_nothing():
    """What may not be executed by its mode, and what would gain a capability; a program of a group's, without any capability at all."""
    needs_ebpf()
    needs_root()
    with project() as p:
        p.make("data", {"groups": "text\n"})
        os.chown(p.path("data/groups"), 0, 2000)
        os.chmod(p.path("data/groups"), 0o640)
        p.make("p", {"not": "text"})
        shutil.copy("/bin/true", p.path("p/raw"))
        os.setxattr(p.path("p/raw"), "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
        p.scenario("cat /p/not; /p/not; /p/raw || true; " + IDLE, ["./p:/p:ro"],
                   subject={"user": "1000:1000", "cap_drop": ["ALL"], "cap_add": ["NET_RAW"]}, harden=["capabilities"])
        done = p.run()
        equal(verdicts(p), {"NET_RAW": "tolerated"}, done.stdout + done.stderr)
        contains(capability(p, "NET_RAW")["reason"], "calls were refused that were not before: sh for execve")
        shutil.copy("/bin/cat", p.path("p/reads"))
        os.chown(p.path("p/reads"), 0, 2000)
        os.chmod(p.path("p/reads"), 0o2755)
        p.scenario("ls /data; /p/reads /data/groups || true; " + IDLE, ["./p:/p:ro", "./data:/data:ro"],
                   subject={"user": "1000:1000", "cap_drop": ["ALL"]}, harden=["no-new-privileges"])
        done = p.run()
        equal(verdicts(p), {"no-new-privileges": "tolerated"}, done.stdout + done.stderr)
        contains(capability(p, "no-new-privileges")["reason"], "reads for openat")


def test_a_health_check_that_is_not_due_yet():
    """What it does belongs to the subject, though the scenario is over before the engine asks for it."""
    needs_ebpf()
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("ls /data; " + IDLE, ["./data:/data"],
                   subject={"healthcheck": {"test": ["CMD-SHELL", "chown 7 /data/file 2>/dev/null; touch /data/asked 2>/dev/null; exit 1"],
                                            "interval": "1h"}},
                   harden=["mounts", "capabilities"])
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(p.verdicts(), {"/data": "tolerated"}, done.stdout)
        equal(capability(p, "CHOWN")["verdict"], "tolerated", done.stdout)
        contains(p.mount("/data")["reason"], "/data/asked")


# Binds to a port that an engine's own networks give to everybody.
PORT_80 = "use Socket; socket(S, AF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(80, INADDR_ANY)) or exit 3; $SIG{TERM} = sub {exit 0}; sleep"


def test_ports_are_roots_in_a_pod_and_on_the_host():
    needs_ebpf()
    app = {"name": "app", "image": IMAGE, "command": ["perl", "-e", PORT_80]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": {"containers": [app]}}
    service = {"image": IMAGE, "command": [word.replace("$", "$$") for word in app["command"]], "network_mode": "host"}
    for file, content, words in (("pod.yaml", pod, []), ("compose.yaml", {"services": {"app": service}}, ["--one-by-one"])):
        with project() as p:
            with open(p.path(file), "w") as out:
                json.dump(content, out)
            done = p.run("--capabilities", *words)
            assert p.result, done.stdout + done.stderr
            equal(capability(p, "NET_BIND_SERVICE")["verdict"], "needed", file + done.stdout + done.stderr)


def test_privileged_is_refused():
    with project() as p:
        p.scenario(IDLE, [], subject={"privileged": True})
        done = p.run("--capabilities")
        equal(done.returncode, 2)
        contains(done.stderr, "the subject is privileged")
