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


# What is planted, by where it comes from: none of it, nor a part of it that stands by itself, may be shown.
KEY_LINES = ["MARKER-key-first-line-77aa", "MARKER-key-second-line-88bb"]
CHANNELS = {
    "PASSWORD": PASSWORD,
    "TLS_KEY": "-----BEGIN KEY-----\n" + "\n".join(KEY_LINES) + "\nMRK=\n-----END KEY-----",
    "DATABASE_URL": "postgres://app:MARKER%2Durl%2D9Zt4@db:5432/shop",
    "LONG_TOKEN": "MARKER-long-begins-" + "0123456789abcdef" * 1500 + "-ends-MARKER-long",
}
SAYS = ("printf 'key: %s\\n' \"$TLS_KEY\"; printf 'crlf: %s\\r\\n' MARKER-key-second-line-88bb; echo \"at ${DATABASE_URL#*://}\"; "
        "echo 'decoded MARKER-url-9Zt4'; echo \"json {\\\"key\\\": \\\"MARKER-key-first-line-77aa\\\\nx\\\"}\"; echo \"arg $1 $2\"; ")


def test_secrets_are_in_no_channel():
    """Log, paths, process names, arguments, step output, requests, phase names and the engine's own errors; all formats."""
    with project() as p:
        # The program's name is cut by the kernel within the secret.
        shell = (SAYS + "printf '%s' \"$LONG_TOKEN\"; head -c 16000 /dev/zero | tr '\\0' b; echo; mkdir -p /data/MARKER-url-9Zt4; "
                 "cp /bin/true \"/data/x-$PASSWORD\"; \"/data/x-$PASSWORD\"; cp /bin/touch /tmp/$PASSWORD; /tmp/$PASSWORD /data/f; " + IDLE)
        p.make("data", {})
        command = ["sh", "-c", shell, "app", "--password=MARKER-argument-2Wc6", "MARKER-argument-2Wc6"]
        quoted = "MARKER-step-7Yb3"
        steps = [{"name": "step with " + PASSWORD, "exec": "true"},
                 {"name": "mentions", "exec": ["sh", "-c", "mysql -uroot -p'" + quoted + "' 2>/dev/null; echo $1 " + quoted, "x", quoted]},
                 {"name": "fails", "exec": ["sh", "-c", "printf '%0180d' 0; echo \"$PASSWORD\"; cat /nowhere/$PASSWORD; exit 1"]}]
        p.scenario(shell, ["./data:/data"], steps=steps,
                   subject={"command": command, "environment": CHANNELS})
        done = p.run()
        equal(done.returncode, 1, done.stdout + done.stderr)
        parts = (PASSWORD, "MARKER-environment", *KEY_LINES, "MRK=", "MARKER-url", "MARKER%2D", "MARKER-argument", quoted,
                 "MARKER-long", "abcdef0123456789abcdef")
        for where, text in everything(p, done).items():
            for part in parts:
                assert part not in text, f"'{part}' is in {where}:\n{text}"
        # What is none is still there.
        assert "arg --password=" in json.dumps(p.result) or "crlf:" in json.dumps(p.result), p.result["runs"][0]["log_tail"]


def test_a_value_of_the_environment_hides_no_path():
    with project() as p:
        p.make("data", {})
        p.scenario("mkdir -p /data/app-bin/run; echo $$ > /data/app-bin/run/pid; echo \"in $APP of $PGDATA\"; " + IDLE, ["./data:/data"],
                   subject={"environment": {"APP": "app-bin", "PGDATA": "/srv/pg-data", "KEY_FILE": "/data/app-bin/run"}},
                   steps=[{"name": "fails", "exec": "echo app-bin; exit 1"}])
        done = p.run()
        equal(done.returncode, 1, done.stdout + done.stderr)
        paths = [each["path"] for each in p.mount("/data")["writes"]]
        assert not any("*" in path for path in paths) and "/data/app-bin/run/pid" in paths, paths
        assert "in *** of ***" in p.result["runs"][0]["log_tail"], p.result["runs"][0]["log_tail"]


def test_a_hidden_path_is_not_recommended():
    with project() as p:
        p.make("data", {"f": ""})
        p.scenario("mkdir -p \"/data/$PASSWORD\" && touch \"/data/$PASSWORD/f\" || exit 1; " + IDLE, ["./data:/data"],
                   subject={"environment": {"PASSWORD": PASSWORD}})
        done = p.run()
        nowhere(p, done, PASSWORD)
        recommendation = json.dumps(p.result["recommendation"])
        assert "***" not in recommendation, recommendation


def test_a_secret_file_of_compose_is_masked():
    with project() as p:
        p.make("data", {"f": ""})
        with open(p.path("password.txt"), "w") as out:
            out.write("MARKER-file-6Hq8\n")
        with open(p.path("compose.yaml"), "w") as out:
            out.write("""services:
  web:
    image: rogate/base:bookworm
    command: [sh, -c, 'cat /data/f; echo "login with $$(cat /run/secrets/db) failed"; exit 3']
    volumes: ["./data:/data"]
    secrets: [db]
secrets:
  db: {file: ./password.txt}
""")
        with open(p.path("scenario.yaml"), "w") as out:
            json.dump({"name": "case", "subject": {"compose": {"file": "compose.yaml", "service": "web"}},
                       "ready": {"timeout": "15s", "log": "ready"}}, out)
        done = p.run()
        nowhere(p, done, "MARKER-file-6Hq8")
        assert "login with *** failed" in done.stdout, done.stdout


def test_security_options_are_resolved():
    """A seccomp profile is read here and sent; the engine masks nothing with systempaths=unconfined."""
    with project() as p:
        p.make("data", {})
        with open(p.path("deny.json"), "w") as out:
            json.dump({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}, out)
        p.scenario("grep -q ' /proc/sys ' /proc/mounts && exit 5; ! mkdir /tmp/denied 2>/dev/null || exit 6; cat /data/* 2>/dev/null; " + IDLE, ["./data:/data"],
                   subject={"security_opt": ["seccomp=deny.json", "systempaths=unconfined"]})
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
