"""The steps of the CI definitions in ci/templates, taken out of them and run as the CI would."""
import json
import os
import subprocess
import xml.etree.ElementTree

import yaml

from support import IDLE, ROGATE, ROOT, contains, equal, project


def template(name):
    with open(f"{ROOT}/ci/templates/{name}") as file:
        return yaml.safe_load(file)


def step(shell, script, p, variables):
    """One step, in the folder of the checkout, with rogate on PATH."""
    env = {**os.environ, **variables, "PATH": os.path.dirname(ROGATE) + ":" + os.environ["PATH"]}
    return subprocess.run([*shell, "-e", "-c", script], cwd=p.folder, env=env, capture_output=True, text=True, timeout=200)


def reports(p):
    """What the definitions hand on to the CI, as the run left it."""
    def text(name):
        with open(p.path(f"rogate-out/{name}")) as file:
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


def run_github(p, **more):
    """The codes of the steps, up to the first that fails and those that always run."""
    whole = template("github-actions.yml")
    variables = {**whole["env"], "GITHUB_BASE_REF": "", **more, "GITHUB_STEP_SUMMARY": p.path("summary.md"), "GITHUB_PATH": p.path("path")}
    codes = {}
    for each in whole["jobs"]["rogate"]["steps"]:
        if "run" not in each or (any(codes.values()) and each.get("if") != "always()"):
            continue
        done = step(["bash", "-o", "pipefail"], each["run"], p, variables)
        codes[each["name"]] = done.returncode
        if done.returncode and each["name"] not in ("Gate", "What the change makes read-only"):
            raise AssertionError(f"{each['name']}: {done.stdout}{done.stderr}")
    with open(p.path("summary.md")) as file:
        return codes, file.read()


def test_github_actions():
    with project() as p:
        checkout(p, "cat /etc/app/conf; ")
        codes, summary = run_github(p)
        equal(list(codes), ["Install rogate", "Check the engine", "Run the scenarios", "Gate", "What the change makes read-only", "Summary"])
        equal(codes["Gate"], 0)
        reports(p)
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
        equal((codes["Gate"], codes["What the change makes read-only"]), (0, 0), summary)
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


def test_install_says_what_is_missing():
    with project() as p:
        for name, find in (("github-actions.yml", lambda w: w["jobs"]["rogate"]["steps"][1]["run"]),
                           ("gitlab-ci.yml", lambda w: w["rogate"]["before_script"][0])):
            env = {"PATH": "/usr/bin:/bin", "ROGATE_URL": "", "HOME": p.folder}
            done = subprocess.run(["bash", "-e", "-c", find(template(name))], env=env, capture_output=True, text=True)
            assert done.returncode != 0
            contains(done.stderr, "set ROGATE_URL to where the rogate binary is kept")
