"""Services with `build`: what is sent, what is built, what is left."""
import concurrent.futures
import contextlib
import http.server
import io
import json
import os
import shutil
import socketserver
import subprocess
import tarfile
import tempfile
import threading

from support import ask_engine, contains, docker, equal, project, rogate

# No docker client is found there, so that the image is built through the Engine API.
ALONE = {"PATH": "/nowhere"}
IDLE = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
HEALTH = {"test": "true", "interval": "1s"}


def write(p, name, text):
    os.makedirs(os.path.dirname(p.path(name)), exist_ok=True)
    with open(p.path(name), "w") as file:
        file.write(text)


def images(name):
    """Tags of images with such a repository."""
    tags = [tag for each in ask_engine("/v1.41/images/json") for tag in each["RepoTags"] or []]
    return [tag for tag in tags if tag.startswith(name + ":")]


def shop(p):
    """A context with an ignore file, a Dockerfile beside it with a stage and arguments."""
    write(p, "compose.yaml", json.dumps({"name": "rgbuild", "services": {
        "web": {"build": {"context": "web", "dockerfile": "../docker/Web.Dockerfile", "target": "app", "args": ["GREETING=hello", "FROM_OUTSIDE"]},
                "volumes": ["./conf:/conf"], "healthcheck": HEALTH}}}))
    write(p, "docker/Web.Dockerfile", f"""FROM rogate/base:bookworm AS app
ARG GREETING
ARG FROM_OUTSIDE=no
COPY . /app
RUN echo "$GREETING $FROM_OUTSIDE" > /app/greeting && find /app -mindepth 1 | sort > /list
CMD cat /conf/c /app/greeting; {IDLE}
FROM app AS later
RUN false
""")
    write(p, "web/.dockerignore", "*.secret\nnode_modules\n!node_modules/kept\n")
    write(p, "web/main", "main\n")
    write(p, "web/a.secret", "secret\n")
    write(p, "web/node_modules/kept", "kept\n")
    write(p, "web/node_modules/left", "left\n")
    write(p, "conf/c", "c\n")


def test_built_settled_and_removed():
    with project() as p:
        shop(p)
        done = p.run(env={**ALONE, "FROM_OUTSIDE": "outside"})
        equal((done.returncode, p.verdicts()), (0, {"/conf": "safe"}), done.stdout + done.stderr)
        contains(done.stderr, "building the image of web from web", "building web: Step ")
        equal(p.result["subject"]["image"], "rgbuild-web")
        equal(images("rogate/rgbuild-web"), [])
        kept = rogate("run", p.folder, "--keep-images", "--max-runs", "1", "--quiet", env=ALONE)
        [name] = images("rogate/rgbuild-web")
        try:
            contains(kept.stderr, f"the image {name} is kept")
            equal(docker("run", "--rm", name, "cat", "/list", "/app/greeting").split(),
                  ["/app/.dockerignore", "/app/greeting", "/app/main", "/app/node_modules", "/app/node_modules/kept", "hello", "no"])
            docker("tag", name, "rgbuild-web")
            there = rogate("run", p.folder, "--no-build", "--max-runs", "1", env=ALONE)
            equal(there.returncode, 4, there.stderr)
            contains(there.stderr, "note: image rgbuild-web was built less than a minute ago; --build makes it anew")
        finally:
            docker("rmi", "-f", name, "rgbuild-web")


def test_what_is_not_built():
    with project() as p:
        shop(p)
        refused = p.run("--no-build", env=ALONE)
        equal(refused.returncode, 2, refused.stderr)
        contains(refused.stderr, "compose.yaml:1:", "neither 'rgbuild-web' nor 'rgbuild_web'", "docker compose build web")
        write(p, "docker/Web.Dockerfile", "FROM rogate/base:bookworm AS app\nRUN echo it says this; exit 9\n")
        failed = p.run(env=ALONE)
        equal(failed.returncode, 3, failed.stderr)
        contains(failed.stderr, "the image of service 'web' was not built", "non-zero code: 9", "its log ends:", "\n  it says this")
        equal(images("rogate/rgbuild-web"), [])


def test_what_is_not_built_costs_what_needs_it():
    with project() as p:
        write(p, "conf/c", "c\n")
        write(p, "bad/Dockerfile", "FROM rogate/base:bookworm\nARG KEY\nRUN echo it says this to $KEY; exit 9\n")
        bad = {"build": {"context": "bad", "args": {"KEY": "hunter2-hunter2"}}, "volumes": ["./conf:/conf"]}
        good = {"image": "rogate/base:bookworm", "command": ["bash", "-c", "cat /conf/c; " + IDLE.replace("$", "$$")],
                "volumes": ["./conf:/conf"], "healthcheck": HEALTH}
        write(p, "compose.yaml", json.dumps({"name": "rgbroken", "services": {
            "bad": bad, "behind": {**good, "depends_on": ["bad"]}, "good": good}}))
        done = p.run(env=ALONE)
        equal(done.returncode, 1, done.stdout + done.stderr)
        whys = {}
        for name, verdict in {"bad": "inconclusive", "behind": "inconclusive", "good": "safe"}.items():
            with open(p.path(f"out/{name}/result.json")) as file:
                mount = json.load(file)["mounts"][0]
            equal((mount["target"], mount["verdict"]), ("/conf", verdict), done.stdout)
            whys[name] = mount["reason"]
        contains(whys["bad"], "compose.yaml:1:", "the image of service 'bad' was not built", "non-zero code: 9", "it says this to ***")
        contains(whys["behind"], "service 'bad', which 'behind' waits for, was not started")
        for folder, _, files in os.walk(p.path("out")):
            for name in files:
                with open(os.path.join(folder, name), errors="replace") as file:
                    assert "hunter2" not in file.read(), f"{folder}/{name} shows what the build was given"
        equal(images("rogate/rgbroken-bad"), [])


# Each is an ignore file; docker's client is asked what it sends for it.
IGNORED = ["", "*", "**", "a", "/a", "./a/", "a//b/../x", "# a\n #a", " a \t\r\n\nb", "*.md", "*/b", "*/*/b", "a?", "**/b", "**b", "a/**", "a/**/x", "**/*.md",
           "a**/b", "**/b/**", "[a-c]", "[^a]", "[\\]a]", "\\*", "*.md\n!keep.md", "!keep.md\n*.md", "*\n!a", "*\n! /a/b", "a\n!a/b\na/b/x", "**\n!a/**",
           "*\n!Dockerfile", "Dockerfile\n.dockerignore", ".", "/", "../a", "a/*\n!a/b/x", "a/b\n!a/b/x.md", "\ufeffa", "*\n!*.md", "a(b)+$|{c}", "link", "*/"]


class OneBuild(http.server.BaseHTTPRequestHandler):
    """An engine that takes a build's context, and builds nothing."""
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        if self.path.endswith("/version"):
            return self.answer(200, {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64", "Version": "20.10"})
        if self.path.endswith(("/_ping", "/info")):
            return self.answer(200, {})
        if "/images/json" in self.path or "/containers/json" in self.path or "/networks" in self.path:
            return self.answer(200, [])
        return self.answer(200, {"Volumes": []}) if "/volumes" in self.path else self.answer(404, {"message": "none"})

    def do_POST(self):
        body = b""
        while self.headers.get("Transfer-Encoding") == "chunked":
            size = int(self.rfile.readline(), 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                break
        if "/build?" not in self.path:
            return self.answer(404, {"message": "none"})
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            self.server.sent = sorted((each.name.rstrip("/"), each.mode, each.uid, each.linkname, each.size) for each in tar)
        return self.answer(200, {"error": "nothing is built here", "errorDetail": {"message": "nothing is built here"}})

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def an_engine():
    with tempfile.TemporaryDirectory() as folder:
        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

            def get_request(self):
                request, _ = super().get_request()
                return request, ("client", 0)

        with Server(f"{folder}/s", OneBuild) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            server.host = f"unix://{folder}/s"
            try:
                yield server
            finally:
                server.shutdown()
                thread.join()


def sent_for(ignored):
    """What docker's client and rogate send of one folder with that ignore file."""
    with project() as p, an_engine() as engine:
        write(p, "compose.yaml", "name: rgbuild\nservices:\n  web:\n    build: c\n")
        for name in ("a/b/x", "a/b/x.md", "a/y", "a/keep.md", "b", "c/b", "ab/b", "axx/b", "]", "*", "keep.md", "other.md", "#a", "a(b)+$|{c}", "d/e/f"):
            write(p, f"c/{name}", name)
        write(p, "c/Dockerfile", "FROM scratch\n")
        os.symlink("/nowhere", p.path("c/link"))
        os.chmod(p.path("c/b"), 0o4750)
        write(p, "c/.dockerignore", ignored)
        engine.sent = None
        subprocess.run(["docker", "-H", engine.host, "build", p.path("c")], env={**os.environ, "DOCKER_BUILDKIT": "0"}, capture_output=True)
        docker_sent, engine.sent = engine.sent, None
        assert docker_sent, "docker sent nothing"
        done = rogate("--host", engine.host, "run", p.folder, env=ALONE)
        equal(done.returncode, 3, done.stderr)
        contains(done.stderr, "nothing is built here")
        return docker_sent, engine.sent


def test_context_is_what_docker_sends():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for ignored, (by_docker, by_rogate) in zip(IGNORED, pool.map(sent_for, IGNORED)):
            equal(by_rogate, by_docker, f"with {ignored!r}")


def test_through_docker_compose():
    """A stand-in for the client with its plugin: it notes what it is asked, and builds with the real client."""
    with project() as p:
        shop(p)
        write(p, "compose.yaml", json.dumps({"name": "rgbuild", "services": {"web": {
            "build": {"context": "web", "secrets": ["s"]}, "volumes": ["./conf:/conf"], "healthcheck": HEALTH}}, "secrets": {"s": {"file": "conf/c"}}}))
        write(p, "web/Dockerfile", "FROM rogate/base:bookworm\n")
        write(p, "bin/docker", f"""#!/bin/sh
case "$*" in "compose version") exit 0 ;; esac
echo "$*" >{p.folder}/asked
cat >{p.folder}/override
echo "#5 [2/2] RUN something"
echo "it says this" >&2
[ ! -e {p.folder}/fails ] || exit 17
name=$(sed -n 's/^    image: "\\(.*\\)"$/\\1/p' {p.folder}/override)
session=$(sed -n 's/^        "io.rogate.session": "\\(.*\\)"$/\\1/p' {p.folder}/override)
printf 'FROM rogate/base:bookworm\\nCMD cat /conf/c; {IDLE.replace("'", '"')}\\n' |
  exec {shutil.which("docker")} -H "$2" build -q -t "$name" --label "io.rogate.session=$session" -
""")
        os.chmod(p.path("bin/docker"), 0o755)
        env = {"PATH": f"{p.path('bin')}:{os.environ['PATH']}"}
        done = p.run(env=env)
        equal((done.returncode, p.verdicts()), (0, {"/conf": "safe"}), done.stdout + done.stderr)
        contains(done.stderr, "building web: #5 [2/2] RUN something")
        with open(p.path("asked")) as file:
            equal(file.read().split(), ["-H", os.environ["DOCKER_HOST"], "compose", "--project-name", "rgbuild", "--project-directory", p.folder,
                                        "-f", p.path("compose.yaml"), "-f", "-", "build", "web"])
        equal(images("rogate/rgbuild-web"), [])
        write(p, "fails", "")
        failed = p.run(env=env)
        equal(failed.returncode, 3, failed.stderr)
        contains(failed.stderr, "docker compose build web ended with exit code 17; its log ends:\n  #5 [2/2] RUN something\n  it says this")
        refused = p.run(env=ALONE)
        equal(refused.returncode, 2, refused.stderr)
        contains(refused.stderr, "compose.yaml:1:", "'secrets' of 'build' of service 'web' takes docker compose")
