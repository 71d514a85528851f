"""rogate audit on a folder, and on the engine's containers."""
import json
import os

from support import IMAGE, ROOT, contains, docker, equal, project, rogate


def test_folder():
    with project() as p:
        p.make("node_modules", {"compose.yaml": "services: {hidden: {tmpfs: /x}}\n"})
        p.make("app", {"compose.yaml": "services:\n  web:\n    image: nginx\n    volumes: [./html:/usr/share/nginx/html]\n",
                       "broken.yaml": "services: [\n", "Dockerfile": "FROM a\nVOLUME /data\n"})
        with open(p.path("app/binary.yaml"), "wb") as file:
            file.write(b"services:\0\n")
        done = rogate("audit", p.folder, "-f", "json", "--init", p.path("begun"))
        equal(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        equal([(m["name"], m["target"], m["try"]) for m in found["mounts"]],
              [("web", "/usr/share/nginx/html", 1), ("web", "/", 2), ("Dockerfile", "/data", 3)])
        contains(done.stderr, "broken.yaml:")
        equal(len(found["troubles"]), 1)
        equal(os.listdir(p.path("begun")), ["web.yaml"])
        # It is what `rogate init` writes.
        with open(p.path("begun/web.yaml")) as file:
            begun = file.read()
        done = rogate("init", p.path("app/compose.yaml"), "--service", "web", "-o", p.path("begun/other.yaml"))
        equal(done.returncode, 0, done.stderr)
        with open(p.path("begun/other.yaml")) as file:
            equal(begun, file.read())
        contains(begun, "file: '../app/compose.yaml'", "restart")
        equal(rogate("audit", p.folder, "--init", p.path("begun")).returncode, 2)
        contains(rogate("audit", p.folder).stdout, "static content", "compose.yaml:4:15")


def test_input_errors():
    equal(rogate("audit").returncode, 2)
    equal(rogate("audit", "/nowhere/at/all").returncode, 2)
    equal(rogate("audit", f"{ROOT}/tests/golden").returncode, 0)


def test_running_containers():
    name = docker("run", "-d", "--rm", "-v", "/etc/hostname:/etc/thing:ro", "--tmpfs", "/scratch", IMAGE, "sleep", "60")
    try:
        found = json.loads(rogate("audit", "--running", "-f", "json").stdout)
        own = docker("inspect", "-f", "{{.Name}}", name).lstrip("/")
        mounts = {m["target"]: (m["type"], m["read_only"]) for m in found["mounts"] if m["name"] == own}
        equal(mounts, {"/etc/thing": ("bind", True), "/scratch": ("tmpfs", False), "/": ("rootfs", False)})
    finally:
        docker("rm", "-f", name)
