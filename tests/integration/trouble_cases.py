"""What goes wrong: clear message, right exit code, nothing left."""
import contextlib
import os
import signal
import subprocess

from faulty_engine import real_engine
from support import (IDLE, contains, docker, engine_is_podman, engine_is_rootless, equal, fingerprint, leftovers, project, rogate,
                     skip_unless)


def test_failing_control_run():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; echo broken >&2; exit 7", ["./data:/data"])
        done = p.run()
        equal(done.returncode, 1, done.stdout + done.stderr)
        equal(p.verdicts(), {"/data": "inconclusive"})
        contains(done.stdout, "the control run failed", "exited with code 7", "broken")
        equal(len(p.result["runs"]), 1)


def test_command_that_does_not_exist():
    with project() as p:
        p.scenario("", [], subject={"command": ["/no/such/program"]}, candidates=["/"])
        done = p.run()
        equal(done.returncode, 1, done.stdout + done.stderr)
        contains(" ".join(done.stdout.split()), "/no/such/program", "no such file or directory")


def test_bad_file():
    with project() as p:
        with open(p.path("scenario.yaml"), "w") as out:
            out.write("subject:\n  image: x\n  comand: [a]\n")
        done = p.run()
        equal(done.returncode, 2, done.stderr)
        contains(done.stderr, "scenario.yaml:3:3: unknown key 'comand'", "did you mean 'command'?")


def test_missing_image():
    with project() as p:
        p.scenario(IDLE, [], subject={"image": "rogate-test/missing"})
        done = p.run()
        equal(done.returncode, 3, done.stderr)
        contains(done.stderr, "the image 'rogate-test/missing' is not on the engine and could not be pulled")


def test_missing_bind_source():
    skip_unless(not engine_is_podman(), "podman makes a bind's source that is missing")
    with project() as p:
        p.scenario(IDLE, ["./nowhere:/data"])
        done = p.run()
        equal(done.returncode, 2, done.stderr)
        contains(done.stderr, "bind source path does not exist", "nowhere")
        assert not os.path.exists(p.path("nowhere"))


def test_candidate_that_is_no_mount():
    with project() as p:
        p.scenario(IDLE, [], candidates=["/nope"])
        done = p.run()
        equal(done.returncode, 2, done.stderr)
        contains(done.stderr, "candidate '/nope' is no mount of the subject")


def test_engine_that_is_not_there():
    with project() as p:
        p.scenario(IDLE, [])
        done = p.run(env={"DOCKER_HOST": "unix:///nonexistent/docker.sock"})
        equal(done.returncode, 3, done.stderr)
        contains(done.stderr, "cannot reach the engine at unix:///nonexistent/docker.sock (from DOCKER_HOST)", "No such file")
        done = p.run(env={"DOCKER_HOST": "tcp://127.0.0.1:1"})
        equal(done.returncode, 3, done.stderr)
        contains(done.stderr, "Connection refused")
        done = p.run(env={"DOCKER_HOST": "docker.sock"})
        equal(done.returncode, 2, done.stderr)
        contains(done.stderr, "DOCKER_HOST: engine address 'docker.sock': the scheme is missing")


def test_an_engine_is_named_once():
    """As docker has it; nothing is asked of either."""
    done = rogate("--host", "unix:///nonexistent/docker.sock", "--context", "default", "clean")
    equal((done.returncode, done.stdout, done.stderr),
          (2, "", "rogate: --host and --context both name an engine; leave one of them out\n"))


def interrupted(number, code):
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario(IDLE, ["./data:/data"], [{"name": "waits", "wait": "60s"}])
        before = fingerprint(p.path("data"))
        with p.running() as running:
            running.wait_for("step waits")
            running.process.send_signal(number)
        equal(running.code, code, running.output)
        contains(running.output, "interrupted: cleaning up")
        equal(fingerprint(p.path("data")), before)


def test_interrupted_by_sigint():
    interrupted(signal.SIGINT, 130)


def test_terminated_by_sigterm():
    interrupted(signal.SIGTERM, 143)


def test_clean_removes_what_a_killed_run_left():
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario(IDLE, ["./data:/data"], [{"name": "waits", "wait": "60s"}])
        docker("volume", "create", "rogate-test-not-ours")
        try:
            with p.running() as running:
                running.wait_for("step waits")
                # With its watchdog, as when a whole container or machine is stopped.
                for child in subprocess.run(["pgrep", "-P", str(running.process.pid)], capture_output=True, text=True).stdout.split():
                    os.kill(int(child), signal.SIGKILL)
                running.process.kill()
            assert leftovers()
            done = rogate("clean", "--dry-run")
            contains(done.stdout, "would remove")
            assert leftovers()
            done = rogate("clean")
            equal(done.returncode, 0, done.stderr)
            contains(done.stdout, "removed: ")
            contains(rogate("clean").stdout, "nothing of rogate's is on the engine")
            contains(docker("volume", "ls", "-q"), "rogate-test-not-ours")
        finally:
            docker("volume", "rm", "rogate-test-not-ours")


def test_doctor_and_report():
    done = rogate("doctor")
    equal(done.returncode, 0, done.stderr)
    contains(done.stdout, *(f"ok    {each}" for each in ("engine", "api", "kernel", "cgroup", "seccomp", "data", "disk", "observer   ptrace:",
                                                          "canary     ptrace:")))
    if "Podman" in docker("version"):
        contains(done.stdout, "warn  podman     a read-only root has a tmpfs of podman's on /run, /tmp and /var/tmp", "-> ask an engine of docker's")
    if engine_is_rootless():
        contains(done.stdout, "warn  privileges the engine is rootless: its containers cannot be given BPF", "-> --observer ptrace, or an engine",
                 "no    observer   ebpf: ", "-> a rootless engine may not start every container", "ok    run        --observer auto takes ptrace")
    else:
        contains(done.stdout, *(f"ok    {each}" for each in ("privileges", "observer   ebpf:", "canary     ebpf:",
                                                              "run        --observer auto takes ebpf")))
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"])
        ran = p.run("--quiet")
        if not engine_is_rootless():  # else it warns of the observer
            equal(ran.stderr, "")
        again = rogate("report", p.path("out/result.json"))
        equal(again.stdout, ran.stdout)
        with open(p.path("out/result.json")) as file:
            equal(rogate("report", "-f", "json", p.path("out/result.json")).stdout, file.read())
        equal(rogate("report", p.path("scenario.yaml")).returncode, 2)


def test_plain_tcp():
    """The same engine through TCP, by a relay on loopback."""
    import socket
    import threading
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            engine = real_engine()
            threading.Thread(target=pump, args=(client, engine), daemon=True).start()
            threading.Thread(target=pump, args=(engine, client), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    with project() as p:
        p.make("data", {"file": "text\n"})
        p.scenario("cat /data/file; " + IDLE, ["./data:/data"])
        done = p.run("--quiet", env={"DOCKER_HOST": f"tcp://127.0.0.1:{listener.getsockname()[1]}"})
        equal(p.verdicts(), {"/data": "safe"}, done.stdout + done.stderr)
    listener.close()
