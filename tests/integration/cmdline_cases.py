"""The command line as people meet it: help, completions in a shell, `docker rogate`, manual pages."""
import glob
import json
import os
import re
import shutil
import subprocess

from support import IMAGE, ROGATE, contains, docker, equal, project, rogate, skip_unless


def test_help_without_a_command_and_by_topic():
    for words in ([], ["help"], ["--help"]):
        done = rogate(*words)
        equal(done.returncode, 0, done.stderr)
        contains(done.stdout, "Settle every candidate", "watch")
    contains(rogate("help", "run").stdout, "--observer")
    contains(rogate("help", "verdicts").stdout, "inconclusive")
    done = rogate("help", "nothing")
    equal(done.returncode, 2)
    contains(done.stderr, "verdicts")
    version = rogate("--version")
    equal(version.returncode, 0)
    assert re.match(r"rogate \d+\.\d+\.\d+\n", version.stdout), version.stdout


def test_manual_pages_for_every_command():
    with project() as p:
        equal(rogate("help", "--man-pages", p.path("man")).returncode, 0)
        pages = {os.path.basename(each) for each in glob.glob(p.path("man/*"))}
        listed = set(re.findall(r"^  ([a-z]+) ", rogate("--help").stdout.split("Subcommands:")[1].split("\nExit")[0], re.M))
        equal(pages, {"rogate.1"} | {f"rogate-{each}.1" for each in listed})
        skip_unless(shutil.which("man"), "there is no man(1) here")
        for page in pages:
            done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", p.path(f"man/{page}")], capture_output=True,
                                  text=True, env={**os.environ, "MANWIDTH": "80", "PAGER": "cat"})
            equal((done.returncode, done.stderr), (0, ""), page)


def completed(script, words, folder, environment):
    """What bash offers for the last of `words`."""
    line = " ".join(f"'{each}'" for each in words)
    shell = (f". {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _rogate 2>/dev/null; "
             'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "--norc", "-c", shell], capture_output=True, text=True, cwd=folder, env=environment)
    equal(done.returncode, 0, done.stderr)
    return [each for each in done.stdout.splitlines() if each]


def test_bash_completes_containers_services_and_files():
    with project() as p:
        os.mkdir(p.path("programs"))
        os.symlink(ROGATE, p.path("programs/rogate"))
        environment = {**os.environ, "PATH": f"{p.path('programs')}:{os.environ['PATH']}"}
        with open(p.path("completions"), "w") as file:
            file.write(rogate("completion", "bash").stdout)
        with open(p.path("compose.yaml"), "w") as file:
            file.write("services:\n  web: {image: x, volumes: ['./a:/a']}\n  worker: {image: x, volumes: ['b:/b']}\n"
                       "volumes: {b: {}}\n")

        def offers(*words):
            return completed(p.path("completions"), ["rogate", *words], p.folder, environment)

        equal(offers("aud"), ["audit"])
        equal(offers("run", "--obs"), ["--observer"])
        equal(offers("run", "--observer", "e"), ["ebpf"])
        equal(offers("run", "compose.yaml", "--service", ""), ["web", "worker"])
        equal(offers("run", "comp"), ["completions", "compose.yaml"])
        name = f"rogate-try-{os.getpid()}"
        docker("run", "-d", "--name", name, IMAGE, "sleep", "60")
        try:
            equal(offers("watch", "rogate-try"), [name])
            equal(offers("run", "--container", "rogate-try"), [name])
        finally:
            docker("rm", "-f", name)
        # Without an engine there is nothing to offer, and nothing to wait for.
        environment["DOCKER_HOST"] = f"unix://{p.path('none')}"
        equal(offers("watch", ""), [])


def test_docker_rogate():
    skip_unless(shutil.which("docker"), "there is no docker client here")
    with project() as p:
        os.makedirs(p.path("docker/cli-plugins"))
        os.symlink(ROGATE, p.path("docker/cli-plugins/docker-rogate"))
        environment = {**os.environ, "DOCKER_CONFIG": p.path("docker")}

        def client(*words, **changed):
            return subprocess.run(["docker", *words], capture_output=True, text=True, env={**environment, **changed})

        metadata = subprocess.run([p.path("docker/cli-plugins/docker-rogate"), "docker-cli-plugin-metadata"],
                                  capture_output=True, text=True).stdout
        equal(json.loads(metadata)["SchemaVersion"], "0.1.0")
        contains(client("--help").stdout, "rogate*")
        contains(client("rogate", "--version").stdout, "rogate ")
        done = client("rogate", "clean", "--dry-run")
        equal(done.returncode, 0, done.stderr)
        # docker's own options lead to another engine, here to none.
        done = client("--host", f"unix://{p.path('none')}", "rogate", "clean", "--dry-run")
        equal(done.returncode, 3, done.stderr)
        contains(done.stderr, p.path("none"))
        done = client("--log-level", "error", "-D", "rogate", "audit", p.path("docker"))
        equal(done.returncode, 0, done.stderr)
        # Exit codes are rogate's.
        equal(client("rogate", "run", p.path("missing.yaml")).returncode, 2)
