"""What docker compose takes, on an engine: sources that are not there, images that are built, networks, terminals, and ends by SIGKILL."""
import json
import os

from support import contains, docker, equal, project, rogate

APP = "trap 'exit 0' TERM; {}; echo started >/tmp/started; while :; do sleep 0.1; done"


def write(p, text, name="compose.yaml"):
    with open(p.path(name), "w") as out:
        out.write(text)


def service(shell, more=""):
    """`app`, which runs `shell`, is ready then, and waits until it is told to end."""
    command = json.dumps(["bash", "-c", APP.format(shell)])
    return f"services:\n  app:\n    image: rogate/base:bookworm\n    command: {command}\n{more}" \
           '    healthcheck: {test: "test -e /tmp/started", interval: 300ms}\n'


def test_bind_source_that_is_not_there():
    with project() as p:
        write(p, service("ls -a /data /other; echo x > /data/x || exit 3",
                         "    volumes: [./not-there:/data, './neither:/other']\n"))
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        contains(done.stderr, "compose.yaml:5:15: there is no ", "/not-there on the engine's host", "/neither on the engine's host")
        equal((p.verdicts()["/data"], p.verdicts()["/other"]), ("required", "safe"), done.stdout)
        equal(sorted(os.listdir(p.folder)), ["compose.yaml", "out"], "something was made on the user's disk")
        write(p, service("true", "    volumes:\n      - {type: bind, source: ./none, target: /data, bind: {create_host_path: false}}\n"))
        done = p.run()
        equal(done.returncode, 2, done.stdout)
        contains(done.stderr, "compose.yaml:6:9: bind source path does not exist: ", "/none, which is mounted on /data; make it first")


def test_process_1_that_drops_the_stop_signal():
    with project() as p:
        p.make("data", {"x": "1"})
        write(p, 'services:\n  app:\n    image: rogate/base:bookworm\n    command: ["sh", "-c", "cat /data/x; exec sleep infinity"]\n'
                 '    healthcheck: {test: "true", interval: 1s}\n    volumes: [./data:/data]\n')
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        contains(done.stderr, "process 1 of the subject has no handler for SIGTERM")
        equal(p.verdicts()["/data"], "safe", done.stdout)
        equal({run["exit_code"] for run in p.result["runs"]}, {137})
        # The signal is lost on it, so that nobody waits for the whole grace.
        assert all(phase["duration_s"] < 8 for run in p.result["runs"] for phase in run["phases"] if phase["name"] == "shutdown")


def test_end_that_hangs_read_only_is_waited_for():
    """It has a handler, so that its grace is its own: a save that fails at the end must not be cut off."""
    with project() as p:
        p.make("data", {"x": "1"})
        write(p, 'services:\n  app:\n    image: rogate/base:bookworm\n    stop_grace_period: 3s\n    healthcheck: {test: "true", interval: 1s}\n'
                 '    command: ["bash", "-c", "trap \'echo y > /data/y || { sleep 2; exit 3; }; exit 0\' TERM; while :; do sleep 0.1; done"]\n'
                 '    volumes: [./data:/data]\n')
        done = p.run()
        equal((done.returncode, p.verdicts()["/data"]), (0, "required"), done.stdout + done.stderr)
        contains(p.mount("/data")["reason"], "exit code 3 (control run: 0)")


def test_image_that_compose_builds():
    with project() as p:
        write(p, 'name: rgcase\nservices:\n  web:\n    build: ./web\n    command: ["bash", "-c", "echo works"]\n    volumes: [./web:/web]\n')
        p.make("web", {"Dockerfile": "FROM scratch\n"})
        done = p.run("--no-build")
        equal(done.returncode, 2, done.stdout)
        contains(done.stderr, "compose.yaml:4:12: ", "neither 'rgcase-web' nor 'rgcase_web'", "docker compose build web")
        docker("tag", "rogate/base:bookworm", "rgcase_web")
        try:
            done = p.run()
        finally:
            docker("rmi", "rgcase_web")
        equal(done.returncode, 0, done.stdout + done.stderr)
        equal(p.result["subject"]["image"], "rgcase_web")


def test_network_of_another_service_and_none():
    with project() as p:
        idle = json.dumps(["bash", "-c", APP.format("true")])
        write(p, 'services:\n  vpn:\n    image: rogate/base:bookworm\n    command: %s\n'
                 '  app: {image: rogate/redis:bookworm, network_mode: "service:vpn"}\n'
                 '  alone:\n    image: rogate/base:bookworm\n    network_mode: none\n    volumes: [./none:/n]\n'
                 '    command: ["bash", "-c", "test \\"$(ls /sys/class/net)\\" = lo"]\n' % idle)
        # Readiness is what the image exposes, which is published by the one whose network it is.
        done = p.run("--service", "app", "--requests", "ports")
        equal(done.returncode, 0, done.stdout + done.stderr)
        assert p.result["runs"][0]["passed"], done.stdout
        done = p.run("--service", "app", "--requests", "relay")
        equal(done.returncode, 0, done.stdout + done.stderr)
        done = p.run("--service", "alone")
        equal(done.returncode, 0, done.stdout + done.stderr)


def test_optional_dependency_and_variables_without_value():
    with project() as p:
        write(p, 'services:\n  app:\n    image: rogate/postgresql:bookworm\n    init: true\n    entrypoint: []\n    environment: {PGDATA: }\n'
                 '    command: ["bash", "-c", "test -z \\"$${PGDATA+set}\\""]\n'
                 '    depends_on: {sick: {condition: service_healthy, required: false}}\n'
                 '  sick:\n    image: rogate/base:bookworm\n    command: sleep 1000\n    init: true\n'
                 '    healthcheck: {test: "false", interval: 100ms, retries: 1}\n')
        done = p.run("--service", "app")
        equal(done.returncode, 0, done.stdout + done.stderr)
        contains(done.stderr, "service 'sick', which 'app' waits for, is unhealthy", "'app' does not require it")


def test_control_run_that_fails_says_why_without_a_mount():
    with project() as p:
        write(p, 'services:\n  app: {image: rogate/base:bookworm, command: "true", depends_on: {sick: {condition: service_healthy}}}\n'
                 '  sick:\n    image: rogate/base:bookworm\n    command: sleep 1000\n    init: true\n'
                 '    healthcheck: {test: "false", interval: 100ms, retries: 1}\n')
        done = p.run("--service", "app")
        equal(done.returncode, 1, done.stdout + done.stderr)
        contains(done.stdout, "no mount to try", "run 1 (control) failed in services: service 'sick', which 'app' waits for, is unhealthy")


def test_terminal_keeps_a_shell():
    with project() as p:
        write(p, "services:\n  app: {image: rogate/base:bookworm, command: bash, tty: true, healthcheck: {test: 'tty < /dev/pts/0', "
                 "interval: 1s}, volumes: [./work:/work]}\n")
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        assert not any("exited_early" in run and run["exited_early"] for run in p.result["runs"])
        equal({run["exit_code"] for run in p.result["runs"]}, {137})


def test_what_is_declared_and_does_not_answer():
    """A job of an image that is made for a server: its port will not answer, and its end is what counts."""
    with project() as p:
        write(p, "services:\n  app: {image: rogate/redis:bookworm, command: ['redis-cli', '--version'], volumes: [./work:/work]}\n")
        done = p.run()
        equal(done.returncode, 0, done.stdout + done.stderr)
        contains(done.stderr, "port 6379 is declared, and nothing answered on it; it is not waited for")


def test_left_out_by_a_flag():
    with project() as p:
        write(p, "services:\n  app: {image: rogate/base:bookworm, command: 'true', devices: [/dev/null:/dev/extra], pid: host}\n")
        done = rogate("run", p.folder)
        equal(done.returncode, 2)
        contains(done.stderr, "leave it out with --without devices")
        equal(p.run("--without", "devices,pid").returncode, 0)
        equal(rogate("run", p.folder, "--without", "volumes").returncode, 2)
