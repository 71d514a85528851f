"""Markers that are planted where secrets are appear nowhere: not in results, output, the labels on the engine."""
import base64
import json
import os
import stat

from support import IDLE, docker, equal, needs_ebpf, project

PASSWORD = "MARKER-environment-5Y2q"
TOKEN = "MARKER-mount-8Kd1"
REGISTRY = "MARKER-registry-3Xp7"


def everything(p, done):
    found = {"stdout": done.stdout, "stderr": done.stderr}
    for folder, _, files in os.walk(p.path("out")):
        for name in files:
            with open(os.path.join(folder, name), errors="replace") as file:
                found[name] = file.read()
    return found


def nowhere(p, done, *markers):
    for where, text in everything(p, done).items():
        for marker in markers:
            for form in (marker, base64.b64encode(marker.encode()).decode()):
                assert form not in text, f"'{form}' is in {where}:\n{text}"


def planted(p, shell, **more):
    os.makedirs(p.path("secret"), mode=0o700)
    with open(p.path("secret/token"), "w") as out:
        out.write(TOKEN + "\n")
    os.makedirs(p.path("docker"))
    with open(p.path("docker/config.json"), "w") as out:
        auth = base64.b64encode(f"user:{REGISTRY}".encode()).decode()
        json.dump({"auths": {"registry.invalid": {"auth": auth}}}, out)
    subject = {"environment": {"PASSWORD": PASSWORD}, **more.pop("subject", {})}
    p.scenario(shell, ["./secret:/run/secrets"], subject=subject, **more)


def test_result_and_output_hold_no_secret():
    with project() as p:
        # The application prints its password, and writes it into a path's name.
        planted(p, "test -s /run/secrets/token; echo \"$PASSWORD\"; touch \"/run/secrets/$PASSWORD\" 2>/dev/null; " + IDLE,
                steps=[{"name": "prints it", "exec": "echo $PASSWORD; cat /run/secrets/token >/dev/null"}])
        done = p.run(env={"DOCKER_CONFIG": p.path("docker")})
        equal(done.returncode, 0, done.stdout + done.stderr)
        nowhere(p, done, PASSWORD, TOKEN, REGISTRY)
        equal(stat.S_IMODE(os.stat(p.path("out")).st_mode), 0o700)
        equal(stat.S_IMODE(os.stat(p.path("out/result.json")).st_mode), 0o600)


def test_failure_tells_no_secret():
    with project() as p:
        planted(p, "echo \"cannot log in with $PASSWORD\"; exit 3")
        done = p.run(env={"DOCKER_CONFIG": p.path("docker")})
        equal(done.returncode, 1, done.stdout + done.stderr)
        nowhere(p, done, PASSWORD, TOKEN, REGISTRY)
        assert "cannot log in with" in done.stdout


def test_registry_credentials_are_in_no_error():
    with project() as p:
        planted(p, IDLE, subject={"image": "registry.invalid/app:1", "environment": {"PASSWORD": PASSWORD}})
        done = p.run(env={"DOCKER_CONFIG": p.path("docker")})
        equal(done.returncode, 3, done.stderr)
        nowhere(p, done, PASSWORD, TOKEN, REGISTRY)


def test_labels_hold_no_secret():
    with project() as p:
        planted(p, IDLE, steps=[{"name": "waits", "wait": "2s"}])
        with p.running() as running:
            running.wait_for("step waits")
            ids = docker("ps", "-aq", "--filter", "label=io.rogate.session").split()
            labels = docker("inspect", "-f", "{{.Name}} {{json .Config.Labels}}", *ids)
            volumes = docker("volume", "ls", "--filter", "label=io.rogate.session", "--format", "{{.Name}} {{.Labels}}")
        assert ids and volumes
        for marker in (PASSWORD, TOKEN, REGISTRY):
            assert marker not in labels + volumes + running.output


def test_the_observer_has_four_capabilities_and_no_network():
    needs_ebpf()
    with project() as p:
        planted(p, IDLE, steps=[{"name": "waits", "wait": "2s"}])
        with p.running() as running:
            running.wait_for("step waits")
            observer = docker("ps", "-q", "--filter", "label=io.rogate.role=observer")
            host = json.loads(docker("inspect", "-f", "{{json .HostConfig}}", observer))
            equal(docker("ps", "-q", "--filter", "label=io.rogate.session", "--filter", "label=io.rogate.role=helper"), "")
            # Not what the engine says of it: podman tells only what differs from its default set.
            with open(f"/proc/{docker('inspect', '-f', '{{.State.Pid}}', observer)}/status") as file:
                bounding = next(int(line.split()[1], 16) for line in file if line.startswith("CapBnd"))
        equal(bounding, 1 << 2 | 1 << 5 | 1 << 19 | 1 << 21, "DAC_READ_SEARCH, KILL, SYS_PTRACE, SYS_ADMIN")
        equal((host["Privileged"], host["NetworkMode"], host["ReadonlyRootfs"], host["Binds"] or None), (False, "none", True, None))
