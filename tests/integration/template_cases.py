"""The steps of the CI definitions in ci/templates, ci/action and ci/component, taken out of them and run as the CI would."""
import json
import os
import re
import subprocess
import xml.etree.ElementTree

import yaml

from support import IDLE, ROGATE, ROOT, contains, equal, project


def template(name):
    with open(f"{ROOT}/ci/{name}" if "/" in name else f"{ROOT}/ci/templates/{name}") as file:
        return yaml.safe_load(file)


def step(shell, script, p, variables):
    """One step, in the folder of the checkout, with rogate on PATH."""
    env = {**os.environ, **variables, "PATH": os.path.dirname(ROGATE) + ":" + os.environ["PATH"]}
    return subprocess.run([*shell, "-e", "-c", script], cwd=p.folder, env=env, capture_output=True, text=True, timeout=200)


def reports(p, folder="rogate-out"):
    """What the definitions hand on to the CI, as the run left it."""
    def text(name):
        with open(p.path(f"{folder}/{name}")) as file:
            return file.read()

    contains(text("report.md"), "/etc/app", "safe")
    root = xml.etree.ElementTree.fromstring(text("junit.xml"))
    equal(root.tag, "testsuites")
    assert any("/etc/app" in case.get("name") for case in root.iter("testcase"))
    sarif = json.loads(text("results.sarif"))
    equal((sarif["version"], [each["level"] for each in sarif["runs"][0]["results"]]), ("2.1.0", ["note"]))


def checkout(p, shell):
    p.make("tests", {})
    p.make("etc", {"conf": "text\n"})
    p.scenario(shell + IDLE, ["./etc:/etc/app"])
    os.makedirs(p.path("tests/rogate"))
    os.rename(p.path("scenario.yaml"), p.path("tests/rogate/scenario.yaml"))
    os.rename(p.path("etc"), p.path("tests/rogate/etc"))


def perform(steps, p, variables, may_fail, given=lambda text: text):
    """The codes of the steps, up to the first that fails and those that always run."""
    codes = {}
    for each in steps:
        if "run" not in each or (any(codes.values()) and each.get("if") != "always()"):
            continue
        env = {name: given(value) for name, value in each.get("env", {}).items()}
        done = step(["bash", "-o", "pipefail"], each["run"], p, {**variables, **env})
        codes[each["name"]] = done.returncode
        if done.returncode and each["name"] not in may_fail:
            raise AssertionError(f"{each['name']}: {done.stdout}{done.stderr}")
    return codes


def run_github(p, **more):
    """The jobs of the matrix, one after the other, and the one that joins their results, all in one folder."""
    whole = template("github-actions.yml")
    variables = {**whole["env"], "GITHUB_BASE_REF": "", **more, "GITHUB_STEP_SUMMARY": p.path("summary.md"), "GITHUB_PATH": p.path("path")}
    jobs = whole["jobs"]
    for shard in jobs["rogate"]["strategy"]["matrix"]["shard"]:
        perform(jobs["rogate"]["steps"], p, variables, (), lambda text, shard=shard: text.replace("${{ matrix.shard }}", shard))
    codes = perform(jobs["gate"]["steps"], p, variables, ("Gate", "Gate of what the change makes read-only"))
    with open(p.path("summary.md")) as file:
        return codes, file.read()


def test_github_actions():
    with project() as p:
        checkout(p, "cat /etc/app/conf; ")
        codes, summary = run_github(p)
        equal(list(codes), ["Install rogate", "Gate", "Gate of what the change makes read-only", "Summary"])
        equal(codes["Gate"], 0)
        reports(p, "rogate-out/1")
        contains(summary, "### The gate says yes")
        with open(p.path("rogate-policy.yaml"), "w") as file:
            file.write("accept: [tolerated]\n")
        codes, summary = run_github(p)
        equal(codes["Gate"], 1)
        equal(codes["Summary"], 0)
        contains(summary, "### The gate says no")


def test_gitlab():
    whole = template("gitlab-ci.yml")["rogate"]
    with project() as p:
        checkout(p, "cat /etc/app/conf; ")
        # GitLab runs all lines of a job in one shell.
        script = "\n".join([*whole["before_script"], *whole["script"]])
        done = step(["sh"], script, p, {name: str(value) for name, value in whole["variables"].items()})
        equal(done.returncode, 0, done.stdout + done.stderr)
        reports(p)
        contains(done.stdout, "### The gate says yes")
        with open(p.path("rogate-policy.yaml"), "w") as file:
            file.write("mounts: [{target: /etc/app, must_be_read_only: true}]\n")
        done = step(["sh"], script, p, {name: str(value) for name, value in whole["variables"].items()})
        equal(done.returncode, 1, done.stdout + done.stderr)
        contains(done.stdout, "### The gate says no", "has to be read-only")


def branch_that_makes_it_read_only(p):
    """A branch on which the mount that the application writes to is read-only, which the policy accepts."""
    checkout(p, "cat /etc/app/conf; touch /etc/app/x; ")
    with open(p.path("tests/rogate/scenario.yaml")) as file:
        whole = yaml.safe_load(file)
    with open(p.path("tests/rogate/scenario.yaml"), "w") as file:
        yaml.safe_dump(whole, file)  # as people write it: the audit looks for "subject:" at the beginning of a line
    def git(*words):
        return subprocess.run(["git", "-C", p.folder, "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, capture_output=True, text=True).stdout.strip()
    git("init", "-q", "-b", "main", ".")
    git("add", "-A")
    git("commit", "-qm", "one")
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    git("checkout", "-qb", "change")
    path = p.path("tests/rogate/scenario.yaml")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace("./etc:/etc/app", "./etc:/etc/app:ro"))
    with open(p.path("rogate-policy.yaml"), "w") as file:
        file.write("mounts: [{target: /etc/app, accept: [already-ro], reason: r}]\nwrites: [{path: /etc/app/x, reason: r}]\n")
    git("add", "-A")
    git("commit", "-qm", "two")
    return git("rev-parse", "main")


def test_since_on_github():
    with project() as p:
        branch_that_makes_it_read_only(p)
        codes, summary = run_github(p, GITHUB_BASE_REF="main")
        equal((codes["Gate"], codes["Gate of what the change makes read-only"]), (0, 0), summary)
        contains(summary, "1 mount made read-only since origin/main, all as agreed")


def test_since_on_gitlab():
    whole = template("gitlab-ci.yml")["rogate"]
    with project() as p:
        base = branch_that_makes_it_read_only(p)
        script = "\n".join([*whole["before_script"], *whole["script"]])
        variables = {name: str(value) for name, value in whole["variables"].items()}
        done = step(["sh"], script, p, {**variables, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base})
        equal(done.returncode, 0, done.stdout + done.stderr)
        contains(done.stdout, f"### The gate says yes: 1 mount made read-only since {base}, all as agreed")


ACTION_ENV = {"GITHUB_ACTION_PATH": f"{ROOT}/ci/action"}


def run_action(p, **inputs):
    """The steps of the action with these inputs; its codes and outputs."""
    whole = template("action/action.yml")
    values = {name: str(each.get("default", "")) for name, each in whole["inputs"].items()}
    values.update({name.replace("_", "-"): value for name, value in inputs.items()})

    def given(text):
        for name, value in values.items():
            text = text.replace("${{ inputs.%s }}" % name, value)
        return text

    variables = {**ACTION_ENV, "GITHUB_STEP_SUMMARY": p.path("summary.md"), "GITHUB_PATH": p.path("path"), "GITHUB_OUTPUT": p.path("output")}
    steps = [each for each in whole["runs"]["steps"] if each.get("if") != "inputs.gate == 'true'" or values["gate"] == "true"]
    codes = perform(steps, p, variables, ("Gate",), given)
    with open(p.path("output")) as file:
        outputs = file.read()
    os.unlink(p.path("output"))
    return codes, outputs


def test_the_action():
    with project() as p:
        checkout(p, "cat /etc/app/conf; ")
        codes, outputs = run_action(p, paths="tests/rogate", options="--observer 'auto'")
        equal((codes, outputs), ({"Install rogate": 0, "Run": 0, "Gate": 0, "Summary": 0}, "code=0\ncode=0\n"))
        reports(p)
        with open(p.path("rogate-policy.yaml"), "w") as file:
            file.write("accept: [tolerated]\n")
        codes, outputs = run_action(p, paths="tests/rogate", shard="1/1")
        equal((codes["Gate"], outputs), (1, "code=0\ncode=1\n"))
        codes, _ = run_action(p, paths="tests/rogate", gate="false")
        equal(list(codes), ["Install rogate", "Run", "Summary"])


def test_the_component():
    with open(f"{ROOT}/ci/component/rogate.yml") as file:
        header, body = yaml.safe_load_all(file)
    values = {**{name: str(each.get("default", "")) for name, each in header["spec"]["inputs"].items()}, "paths": "tests/rogate"}
    script = "\n".join([*body["rogate"]["before_script"], *body["rogate"]["script"]])
    for name, value in values.items():
        script = script.replace(f"$[[ inputs.{name} ]]", value)
    assert "$[[" not in script, "an input that is not declared"
    with project() as p:
        checkout(p, "cat /etc/app/conf; ")
        done = step(["sh"], script, p, {"ROGATE_BASE_URL": "", "ROGATE_INSTALL_VERSION": ""})
        equal(done.returncode, 0, done.stdout + done.stderr)
        reports(p)


def test_nightly():
    """What can be read-only is proposed by a pull request; when that is known, there is nothing more to say."""
    steps = template("github-nightly.yml")["jobs"]["rogate"]["steps"]
    with project() as p:
        checkout(p, "cat /etc/app/conf; ")
        def git(*words):
            return subprocess.run(["git", "-C", p.folder, "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True, capture_output=True, text=True).stdout
        git("init", "-q", "-b", "main", ".")
        git("add", "-A")
        git("commit", "-qm", "one")
        with project() as other:
            subprocess.run(["git", "init", "-q", "--bare", other.path("forge.git")], check=True)
            git("remote", "add", "origin", other.path("forge.git"))
            # The forge's own client, which says what it was asked.
            with open(other.path("gh"), "w") as file:
                file.write(f'#!/bin/sh\necho "$*" >>{other.path("asked")}\n')
            os.chmod(other.path("gh"), 0o755)
            variables = {"ROGATE_SCENARIOS": "tests/rogate", "RUNNER_TEMP": other.folder, "GITHUB_PATH": other.path("path"),
                         "PATH": f"{other.folder}:{os.path.dirname(ROGATE)}:{os.environ['PATH']}"}
            def night():
                for each in steps:
                    if "run" in each:
                        env = {**os.environ, **variables}
                        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", each["run"]], cwd=p.folder, env=env, capture_output=True,
                                              text=True, timeout=200)
                        equal(done.returncode, 0, f"{each['name']}: {done.stdout}{done.stderr}")
                return done.stdout
            night()
            with open(other.path("asked")) as file:
                contains(file.read(), "pr create --head rogate/nightly")
            with open(other.path("rogate/body.md")) as file:
                contains(file.read(), "/etc/app")
            changed = git("show", "--format=", "origin/rogate/nightly")
            contains(changed, "+", "/etc/app:ro", "rogate.lock.yaml")
            night()  # the lock learns that it is read-only now
            equal(git("show", "--format=", "--name-only").split(), ["rogate.lock.yaml"])
            contains(night(), "nothing has changed")


def test_the_hook_of_pre_commit():
    with open(f"{ROOT}/.pre-commit-hooks.yaml") as file:
        hook = yaml.safe_load(file)[0]
    with project() as p:
        with open(p.path("compose.yaml"), "w") as file:
            file.write("services:\n  app: {image: x, volumes: [./conf:/etc/app]}\n")
        done = step(["sh"], hook["entry"] + " compose.yaml", p, {})
        equal(done.returncode, 0, done.stderr)
        contains(done.stdout, "/etc/app")


def test_actions_are_pinned_by_hash():
    for name in ("github-actions.yml", "github-nightly.yml", "action/action.yml"):
        whole = template(name)
        jobs = whole["jobs"].values() if "jobs" in whole else [whole["runs"]]
        used = [each["uses"] for job in jobs for each in job["steps"] if "uses" in each]
        assert used or name.startswith("action"), name
        for each in used:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each), each


def test_install_says_what_is_missing():
    with project() as p:
        for name, find in (("github-actions.yml", lambda w: w["jobs"]["rogate"]["steps"][1]["run"]),
                           ("gitlab-ci.yml", lambda w: w["rogate"]["before_script"][0])):
            env = {"PATH": "/usr/bin:/bin", "ROGATE_BASE_URL": "", "HOME": p.folder}
            done = subprocess.run(["bash", "-e", "-c", find(template(name))], env=env, capture_output=True, text=True)
            assert done.returncode != 0
            contains(done.stderr, "set ROGATE_BASE_URL to where releases are kept")
