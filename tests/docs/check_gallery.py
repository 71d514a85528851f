"""check_gallery.py ROGATE: the gallery's scenarios are what rogate understands, each has an answer for each of its candidates, and
the pages say what the answers do. No engine is asked; `ci/gallery.sh --check` asks one."""
import json
import os
import subprocess
import sys

import jsonschema
import yaml

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
GALLERY = f"{ROOT}/scenarios/gallery"
ROGATE = os.path.abspath(sys.argv[1])
A_SCREEN = 50
FEWEST = 15


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_application(name, schema):
    folder = f"{GALLERY}/{name}"
    for each in ("Dockerfile", "scenario.yaml", "answer.json", "README.md"):
        if not os.path.isfile(f"{folder}/{each}"):
            yield f"{name}: has no {each}"
            return
    text = read(f"{folder}/scenario.yaml")
    if (lines := text.count("\n")) > A_SCREEN:
        yield f"{name}/scenario.yaml: {lines} lines; at most {A_SCREEN}"
    scenario = yaml.safe_load(text)
    try:
        jsonschema.validate(scenario, schema)
    except jsonschema.ValidationError as error:
        yield f"{name}/scenario.yaml: {error.message} (at {'/'.join(map(str, error.path))})"
    planned = subprocess.run([ROGATE, "plan", folder], capture_output=True, text=True, timeout=60)
    if planned.returncode != 0:
        yield f"{name}: {planned.stderr.strip()}"
    if f"rogate/gallery:{name}" not in scenario["subject"]["docker_run"].split():
        yield f"{name}/scenario.yaml: does not start rogate/gallery:{name}"
    answered = {each["target"]: each["verdict"] for each in json.loads(read(f"{folder}/answer.json"))["mounts"]}
    if set(answered) != set(scenario["candidates"]):
        yield f"{name}/answer.json: is about {', '.join(answered)}; the candidates are {', '.join(scenario['candidates'])}"
    for target, verdict in answered.items():
        if verdict in ("inconclusive", "untested"):
            yield f"{name}/answer.json: {target} is {verdict}, which answers nothing"
    if f"({name}/README.md)" not in read(f"{GALLERY}/README.md"):
        yield f"scenarios/gallery/README.md: does not name {name}"


def main():
    schema = json.loads(read(f"{ROOT}/scenarios/scenario.schema.json"))
    names = sorted(each for each in os.listdir(GALLERY) if os.path.isdir(f"{GALLERY}/{each}") and not each.startswith("__"))
    trouble = [each for name in names for each in check_application(name, schema)]
    if len(names) < FEWEST:
        trouble.append(f"{len(names)} applications; at least {FEWEST}")
    pages = subprocess.run([sys.executable, "-B", f"{GALLERY}/pages.py", "write", "--check"], capture_output=True, text=True, timeout=60)
    if pages.returncode != 0:
        trouble.append("pages differ from what the answers say (ci/gallery.sh pages makes them):\n" + pages.stderr)
    if trouble:
        sys.exit("\n".join(trouble))


main()
