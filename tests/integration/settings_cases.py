"""Settings that remove a write: found by what is written, and recommended only when a run has shown that they help."""
import json
import os
import subprocess
import tarfile
import tempfile

import jsonschema
import yaml

from support import IDLE, IMAGE, contains, docker, engine_is_podman, equal, needs_ebpf, project, rogate, skip_unless

PYTHON = "rogate-test/python"
ROOT = "of a read-only root podman's runs show nothing"


def python_image():
    """Debian's own python3, on top of the base image."""
    program = os.path.realpath("/usr/bin/python3")
    skip_unless(os.path.exists("/usr/lib/python3.11") and program == "/usr/bin/python3.11", "takes Debian 12's python3")
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    wanted = [line.split()[2] for line in libraries.splitlines() if "libz" in line or "libexpat" in line]
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/Dockerfile", "w") as out:
            out.write(f"FROM {IMAGE}\nCOPY root /\n")
        with tarfile.open(folder + "/context.tar", "w", format=tarfile.GNU_FORMAT) as tar:
            tar.add(folder + "/Dockerfile", "Dockerfile")
            for path in [program, "/usr/lib/python3.11", *wanted]:
                tar.add(os.path.realpath(path), "root/usr/" + path.removeprefix("/usr/").removeprefix("/"))
        with open(folder + "/context.tar", "rb") as context:
            subprocess.run(["docker", "build", "-q", "-t", PYTHON, "-"], stdin=context, check=True, capture_output=True)


def by_id(p):
    return {each["id"]: each for each in p.result.get("settings", [])}


def shop(p, write):
    """A shop in Python, whose modules are compiled when they are imported."""
    p.make("app", {"shop.py": "goods = 3\n",
                   "main.py": f"import shop, time\n{write}\nprint('started', flush=True)\ntime.sleep(1000)\n"})
    with open(p.path("compose.yaml"), "w") as out:
        out.write(f"name: shop\nservices:\n  web:\n    image: {PYTHON}\n    init: true\n"
                  "    command: [python3.11, /app/main.py]\n    volumes:\n      - ./app:/app\n    environment:\n      A: b  # mine\n")
    with open(p.path("scenario.yaml"), "w") as out:
        json.dump({"name": "case", "subject": {"compose": {"file": "compose.yaml", "service": "web"}}, "candidates": ["/app"],
                   "ready": {"timeout": "15s", "log": "started"},
                   "steps": [{"name": "is there", "exec": ["python3.11", "-c", "print(1)"]}]}, out)


def test_python_needs_no_byte_code():
    skip_unless(not engine_is_podman(), ROOT)
    needs_ebpf()
    python_image()
    try:
        with project() as p:
            shop(p, "pass")
            done = p.run()
            equal(p.verdicts(), {"/app": "tolerated"}, done.stdout + done.stderr)
            advice = p.result["recommendation"]
            equal(advice["environment"], {"PYTHONDONTWRITEBYTECODE": "1"}, done.stdout + done.stderr)
            equal(by_id(p)["python-bytecode"]["outcome"], "offered")
            equal(by_id(p)["python-bytecode-elsewhere"]["outcome"], "not tried")
            equal(len(p.result["runs"]), 4)  # one pair for the settings
            last = p.result["runs"][-1]
            equal((last["id"], last["environment"], last["passed"]), (advice["verified_by_run"], advice["environment"], True))
            contains(done.stdout, "Set for the application: PYTHONDONTWRITEBYTECODE=1: /app/__pycache__", "its price:")
            patch = rogate("patch", p.path("out/result.json"), "--in-place", "--root", p.folder)
            equal(patch.returncode, 0, patch.stderr)
            with open(p.path("compose.yaml")) as file:
                contains(file.read(), "A: b  # mine\n      PYTHONDONTWRITEBYTECODE: '1'\n", "./app:/app:ro")
            again = p.run()
            equal(p.verdicts(), {"/app": "already-ro"}, again.stdout)
            done = p.run("--no-settings")
            assert "settings" not in p.result, done.stdout
    finally:
        docker("rmi", "-f", PYTHON)


OURS = """settings:
  - id: ours-cache
    what: our cache
    shown_by: [{path: "/data/cache/*"}]
    environment: {NO_CACHE: "1"}
    setting: NO_CACHE=1
  - id: ours-belief
    what: what everybody says
    shown_by: [{path: "/data/log/*"}]
    environment: {QUIET: "1"}
    setting: QUIET=1
  - id: ours-harm
    what: what breaks it
    shown_by: [{path: "/data/log/*"}]
    environment: {FAST: "1"}
    setting: FAST=1
"""


def test_settings_of_your_own():
    """One helps, one is only believed in, one breaks the application."""
    needs_ebpf()
    with project() as p:
        p.make("data", {"conf": "text\n"})
        p.make("data/cache", {})
        p.make("data/log", {})
        with open(p.path("ours.yaml"), "w") as out:
            out.write(OURS)
        shell = ("[ -z \"$FAST\" ] || exit 7; cat /data/conf; [ -n \"$NO_CACHE\" ] || echo page >/data/cache/page || exit 3;"
                 "echo $$ >/data/log/app.pid || exit 4; " + IDLE)
        p.scenario(shell, ["./data:/data"], [{"name": "is there", "exec": "true"}])
        done = p.run("--settings", p.path("ours.yaml"))
        equal(p.verdicts(), {"/data": "split"}, done.stdout + done.stderr)
        equal({name: each["outcome"] for name, each in by_id(p).items()},
              {"ours-cache": "offered", "ours-belief": "no help", "ours-harm": "breaks"}, done.stdout)
        equal(p.result["recommendation"]["environment"], {"NO_CACHE": "1"})
        equal([each["path"] for each in p.result["recommendation"]["writable"]], ["/data/log"])
        equal([each["path"] for each in p.mount("/data")["writable"]], ["/data/cache", "/data/log"])  # as it is configured


def test_traps_are_not_offered():
    """An nginx-like entrypoint: what is passed around for it only silences it, or changes what is served."""
    skip_unless(not engine_is_podman(), ROOT)
    with project() as p:
        p.make("conf.d", {"default.conf": "listen 80;\n"})
        shell = "sed -i 's/80/[::]:80/' /etc/nginx/conf.d/default.conf || true; : >/etc/nginx/conf.d/site.conf || true; " + IDLE
        p.scenario(shell, ["./conf.d:/etc/nginx/conf.d"])
        done = p.run()
        found = by_id(p)
        for trap in ("nginx-quiet-logs", "nginx-envsubst-output"):
            equal(found[trap]["outcome"], "not tried", done.stdout)
            contains(found[trap]["reason"], "it is not advised")
        assert "environment" not in p.result["recommendation"], p.result["recommendation"]
        assert not any("environment" in run for run in p.result["runs"])


def test_a_mistake_in_a_file_of_settings():
    with project() as p:
        with open(p.path("ours.yaml"), "w") as out:
            out.write("settings:\n  - {id: x, what: y, setting: z, shown_by: [{path: /a}], enviroment: {A: b}}\n")
        p.scenario(IDLE, [])
        done = p.run("--settings", p.path("ours.yaml"))
        equal(done.returncode, 2)
        contains(done.stderr, "ours.yaml:2:", "did you mean 'environment'?")


def test_the_shipped_settings_are_as_the_schema_says():
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    with open(f"{root}/harness/advise/settings.yaml") as file, open(f"{root}/scenarios/settings.schema.json") as schema:
        jsonschema.validate(yaml.safe_load(file), json.load(schema))
