"""check_reports.py ROGATE: what rogate renders from results is what the schemas of the formats say."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
HOSTILE = ["/a\\x0a\\x1b[2J", "/</testcase>]]><![CDATA[&\"'", "/x" * 2048, "/\u202e\ufffe\ud7ff", "/{0}[a](b)%", " ", "C:\\\\x"]


def rogate(*arguments):
    done = subprocess.run([sys.argv[1], "report", *arguments], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def hostile(result, text):
    """The result with `text` in the place of every text that a subject or its user chose."""
    fixed = {"schema", "verdict", "type", "errno", "class", "kind", "as", "started_at", "operation", "data"}
    def walk(value, key=""):
        if isinstance(value, dict):
            return {name: walk(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [walk(each, key) for each in value]
        return text if isinstance(value, str) and key not in fixed else value
    return {**walk(result), "runs": [{**walk(run), "canary": {}, "uses": {}} for run in result["runs"]]}


def results(folder):
    golden = json.loads((ROOT / "tests/golden/result.json").read_text())
    for number, result in enumerate([golden] + [hostile(golden, text) for text in HOSTILE]):
        path = folder / f"{number}.json"
        path.write_text(json.dumps(result))
        yield str(path)


def check_junit(path, folder):
    xml = folder / "junit.xml"
    xml.write_text(rogate(path, "-f", "junit"))
    done = subprocess.run(["xmllint", "--noout", "--schema", HERE / "junit.xsd", xml], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def check_published(name, word):
    """The golden output of a command, and what it says now of a hostile input, are as its schema says; a broken one is not."""
    schema = json.loads((ROOT / f"scenarios/{name}.schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    golden = json.loads((ROOT / f"tests/golden/{name}.json").read_text())
    validator.validate(golden)
    assert not validator.is_valid({**golden, "schema": f"rogate.{name}/2"})
    assert not validator.is_valid({**golden, word: [{**golden[word][0], "unheard-of": 1}]})
    return validator


def check_gate(paths, folder):
    validator = check_published("gate", "findings")
    for path in paths:
        done = subprocess.run([sys.argv[1], "gate", path, "--format", "json"], capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 1, 4), done.stderr
        validator.validate(json.loads(done.stdout))
    validator = check_published("audit", "mounts")
    check_published("watch", "mounts")
    (folder / "compose.yaml").write_text("services: {web: {image: x, volumes: [a:/a, './b:/b:ro', '${C}:/c', /d], tmpfs: /e}}\n")
    (folder / "Dockerfile").write_text("FROM x\nVOLUME /v\n")
    (folder / "broken.yaml").write_text("services:\n  a: [\n")
    done = subprocess.run([sys.argv[1], "audit", ".", "-f", "json"], cwd=folder, capture_output=True, text=True, timeout=60)
    said = json.loads(done.stdout)
    validator.validate(said)
    assert len(said["mounts"]) > 5 and said["troubles"], said


def check_plan(folder):
    validator = check_published("plan", "plans")
    place = folder / "planned"
    place.mkdir()
    odd = r"\e[2J\u202e"
    (place / "compose.yaml").write_text(
        f'services:\n  web: {{image: x, command: ["{odd}"], volumes: ["aa:/a", "./b:/b:ro", /d], tmpfs: /e, depends_on: [db]}}\n'
        f'  db: {{build: ., environment: {{URL: "https://u:secret@h.example/{odd}"}}, networks: [n]}}\n'
        '  no: {image: y, pid: host}\nvolumes: {aa: }\nnetworks: {n: {external: true}}\n')
    (place / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: x, "
                                    "volumeMounts: [{name: v, mountPath: /v, subPath: s}]}], volumes: [{name: v, emptyDir: {}}]}\n")
    (place / "scenario.yaml").write_text("subject: {image: x, mounts: ['./b:/b']}\nstates: [fresh, used]\n")
    # What a person has looked at; ROGATE_UPDATE_GOLDEN=1 writes them anew.
    for name, path in (("shop", "tests/projects/shop"), ("jobs", "tests/projects/jobs"), ("desk", "tests/projects/desk"),
                       ("queue", "tests/integration/kubernetes/queue")):
        done = subprocess.run([sys.argv[1], "--host", "unix:///none", "plan", path], cwd=ROOT, capture_output=True, text=True,
                              timeout=60, env={key: value for key, value in os.environ.items() if not key.startswith("COMPOSE_")})
        golden = ROOT / f"tests/golden/plan_{name}.txt"
        said = re.sub(" +", " ", done.stdout.replace(str(ROOT), ""))  # columns are as wide as the folder's name
        if os.environ.get("ROGATE_UPDATE_GOLDEN"):
            golden.write_text(said)
        assert done.returncode == 0 and said == golden.read_text(), said + done.stderr
    for name, code in (("compose.yaml", 2), ("pod.yaml", 0), ("scenario.yaml", 0)):
        texts = []
        for form in ("json", "table"):
            done = subprocess.run([sys.argv[1], "--host", "unix:///none", "plan", name, "-f", form], cwd=place, capture_output=True,
                                  text=True, timeout=60)
            assert done.returncode == code, done.stderr
            texts.append(done.stdout)
        validator.validate(json.loads(texts[0]))
        assert not any(bad in text for text in texts for bad in ("secret", "\x1b", "\u202e")), texts


def check_init(folder):
    """What `rogate init` writes is a scenario by the schema and by `rogate plan`, and what a person has looked at."""
    schema = json.loads((ROOT / "scenarios/scenario.schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COMPOSE_")}
    def rogate_of(*words, cwd=ROOT):
        return subprocess.run([sys.argv[1], "--host", "unix:///none", *words], cwd=cwd, capture_output=True, text=True, timeout=60,
                              env=environment)
    for name, words in (("shop", ["tests/projects/shop"]), ("shop_app", ["tests/projects/shop", "--service", "app"]),
                        ("jobs", ["tests/projects/jobs"]), ("queue", ["tests/integration/kubernetes/queue/queue.yaml"])):
        done = rogate_of("init", *words)
        golden = ROOT / f"tests/golden/init_{name}.yaml"
        if os.environ.get("ROGATE_UPDATE_GOLDEN"):
            golden.write_text(done.stdout)
        assert done.returncode == 0 and done.stdout == golden.read_text(), done.stdout + done.stderr
        assert len(done.stdout.splitlines()) <= 45
        validator.validate(yaml.safe_load(done.stdout))
        written = folder / f"{name}.yaml"
        assert rogate_of("init", *words, "-o", str(written)).returncode == 0
        planned = rogate_of("plan", str(written))
        assert planned.returncode == 0, planned.stderr
        # Never over what is there.
        again = rogate_of("init", *words, "-o", str(written))
        assert again.returncode == 2 and "is there already" in again.stderr, again.stderr
        assert rogate_of("init", *words, "--force", "-o", str(written)).returncode == 0
    place = folder / "begun"
    place.mkdir()
    (place / "compose.yaml").write_text("services: {a: {image: x, pid: host}, b: {image: x}}\n")
    (place / "scenario.yml").write_text("subject: {image: x}\n")
    for words, said in ((["compose.yaml", "--service", "a"], "'pid' of service 'a' is not supported"), (["scenario.yml"], "it is a scenario already"),
                        (["-"], "has no name"), ([], "nothing to begin with"), (["none.yaml"], "none.yaml"),
                        (["compose.yaml", "--container", "c"], "leave one out")):
        done = rogate_of("init", *words, cwd=place)
        assert done.returncode == 2 and said in done.stderr and not done.stdout, (words, done)
    done = rogate_of("init", "compose.yaml", "--service", "a", "--without", "pid", cwd=place)
    assert done.returncode == 0 and "without: [pid]" in done.stdout, done


def main():
    sarif = json.loads((HERE / "sarif-2.1.0.json").read_text())
    sarif_validator = jsonschema.validators.validator_for(sarif)(sarif)
    schema = json.loads((ROOT / "scenarios/result.schema.json").read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        paths = list(results(folder))
        for path in paths:
            check_junit(path, folder)
            sarif_validator.validate(json.loads(rogate(path, "-f", "sarif")))
            jsonschema.validate(json.loads(rogate(path, "-f", "json")), schema)
            out = folder / "report"
            for kind in ("terminal", "markdown", "html", "requirements"):
                rogate(path, "-f", kind, "-o", str(out))
                assert out.stat().st_mode & 0o777 == 0o600, kind
                assert b"\x1b" not in out.read_bytes(), kind
        check_gate(paths, folder)
        check_plan(folder)
        check_init(folder)
        several = json.loads(rogate(*paths[:3], "-f", "sarif"))
        sarif_validator.validate(several)
        assert len(several["runs"]) == 3
        sarif_validator.validate(json.loads((ROOT / "tests/golden/audit.sarif").read_text()))
        # A broken document must be seen: the schemas are no rubber stamps.
        several["runs"][0]["results"][0]["level"] = "fatal"
        assert not sarif_validator.is_valid(several)
    print(f"{len(paths)} results are as the schemas say, in every format")


os.environ.setdefault("LANG", "C.UTF-8")
main()
