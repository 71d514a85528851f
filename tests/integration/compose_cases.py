"""Compose projects: the service under test with every service that it needs, as the team has it."""
import os
import subprocess

from support import IMAGE, ROGATE, contains, equal, fingerprint, project, rogate, variants

COMPOSE = """
name: rogatecase
services:
  web:
    image: rogate/base:bookworm
    command:
      - bash
      - -c
      - |
        set -e
        trap 'exit 0' TERM
        test "$$(cat /run/secrets/key)" = hush
        cat /etc/site.conf /conf/file /up/file
        exec 3<>/dev/tcp/cache/6379
        echo PING >&3; read -r answer <&3; echo "answer: $$answer"
        echo x > /up/new || { sleep 1; exit 3; }
        echo started
        while :; do sleep 0.1; done
    depends_on:
      cache: {condition: service_healthy}
      init: {condition: service_completed_successfully}
    configs: [{source: site, target: /etc/site.conf}]
    secrets: [key]
    volumes:
      - ./conf:/conf
      - ./up:/up
    healthcheck: {test: "test -e /up/new", interval: 1s}
    stop_grace_period: 3s
    restart: unless-stopped
  cache:
    image: rogate/redis:bookworm
    volumes: ["./redis:/data"]
    healthcheck: {test: ["CMD", "redis-cli", "ping"], interval: 500ms, timeout: 2s, retries: 40}
  init:
    image: rogate/base:bookworm
    command: ["sh", "-c", "echo from-init > /up/file"]
    volumes: ["./up:/up"]
  unrelated:
    image: does-not-exist
configs:
  site: {content: "port=80"}
secrets:
  key: {environment: ROGATE_CASE_KEY}
"""


def write(p, text=COMPOSE):
    with open(p.path("compose.yaml"), "w") as out:
        out.write(text)
    for name in ("conf", "up", "redis"):
        p.make(name, {"old": "text\n", "file": "text\n"})
        os.chmod(p.path(name), 0o777)


def test_project():
    with project() as p:
        write(p)
        before = {name: fingerprint(p.path(name)) for name in ("conf", "up", "redis")}
        done = p.run("--service", "web", env={"ROGATE_CASE_KEY": "hush"})
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal((p.verdicts()["/conf"], p.verdicts()["/up"]), ("safe", "required"), done.stdout)
        contains(done.stderr, "service 'web': without effect on the test: restart")
        equal({name: fingerprint(p.path(name)) for name in before}, before, "the user's data changed")
        origin = p.result["subject"]["origin"]
        equal((origin["kind"], origin["name"]), ("compose", "web"))


def test_standard_input():
    with project() as p:
        write(p)
        with open(p.path("compose.yaml")) as text:
            done = subprocess.run([ROGATE, "run", "-", "--service", "web", "--out", p.path("out")], stdin=text, cwd=p.folder,
                                  capture_output=True, text=True, timeout=240, env={**os.environ, "ROGATE_CASE_KEY": "hush"})
        p.read_result()
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal((p.verdicts()["/conf"], p.verdicts()["/up"]), ("safe", "required"), done.stdout)


def test_a_service_that_fails_is_named():
    with project() as p:
        write(p, COMPOSE.replace("echo from-init > /up/file", "echo no disk; exit 7"))
        done = p.run("--service", "web", env={"ROGATE_CASE_KEY": "hush"})
        equal(done.returncode, 1, done.stdout + done.stderr)
        equal(set(p.verdicts().values()) - {"already-ro"}, {"inconclusive"}, done.stdout)
        contains(p.mount("/up")["reason"], "the control run failed", "service 'init', which 'web' waits for, exited with code 7; its last output:",
                 "no disk")
        equal([phase["name"] for phase in p.result["runs"][0]["phases"]], ["services"])


def test_docker_run():
    with project() as p:
        p.make("conf", {"file": "text\n"})
        with open(p.path("scenario.yaml"), "w") as out:
            out.write("name: case\nsubject:\n  docker_run: |\n    docker run -d --rm -v ./conf:/conf --tmpfs /t \\\n"
                      "      rogate/base:bookworm sh -c 'trap \"exit 0\" TERM; cat /conf/file; echo x >/t/x || exit 3;\n"
                      "      echo started; while :; do sleep 0.1; done'\nready: {log: started}\n")
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(p.verdicts(), {"/conf": "safe", "/t": "required"}, done.stdout)
        equal(p.result["subject"]["origin"]["kind"], "docker-run")
        # Patched in, it is what the next run finds.
        equal(rogate("patch", p.path("out/result.json"), "--in-place", "--root", p.folder).returncode, 0)
        with open(p.path("scenario.yaml")) as text:
            contains(text.read(), "-v ./conf:/conf:ro --tmpfs /t \\\n")
        done = p.run()
        equal(p.verdicts(), {"/conf": "already-ro", "/t": "required"}, done.stdout)


def test_a_service_that_ends_comes_up_again_as_its_policy_says():
    """One that fails at its first start, and one that never gets anywhere and must not outlive the run."""
    text = f"""
services:
  web:
    image: {IMAGE}
    command: ["sh", "-c", "trap 'exit 0' TERM; cat /conf/file; n=0; until test -e /once/up; do n=$$((n+1)); test $$n != 50 || exit 5; sleep 0.1; done; echo started; while :; do sleep 0.1; done"]
    depends_on: [slow, never]
    volumes: ["./conf:/conf", "once:/once:ro"]
    healthcheck: {{test: "test -e /once/up", interval: 300ms}}
  slow:
    image: {IMAGE}
    restart: POLICY
    command: ["sh", "-c", "test -e /once/first || {{ touch /once/first; echo no database yet; exit 7; }}; touch /once/up; exec sleep 1000"]
    volumes: ["once:/once"]
    stop_grace_period: 1s
  never:
    image: {IMAGE}
    restart: always
    command: ["false"]
volumes: {{once: }}
"""
    with project() as p:
        p.make("conf", {"file": "text\n"})
        for policy in variants("on-failure:3", "unless-stopped", "always"):
            with open(p.path("compose.yaml"), "w") as out:
                out.write(text.replace("POLICY", policy))
            done = p.run("--service", "web")
            equal((done.returncode, p.verdicts()["/conf"]), (0, "safe"), policy + done.stdout + done.stderr)
        with open(p.path("compose.yaml"), "w") as out:
            out.write(text.replace("POLICY", '"no"'))
        done = p.run("--service", "web")
        equal(done.returncode, 1, done.stdout + done.stderr)
        contains(p.mount("/conf")["reason"], "service 'slow' exited with code 7", "no database yet", "service 'never' ended and was started again")
