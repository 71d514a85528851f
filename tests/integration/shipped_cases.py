"""The shipped scenarios, on the real servers."""
import json
import os
import shutil
import stat
import tempfile

import jsonschema

from support import RESULT_SCHEMA, ROOT, contains, equal, fingerprint, rogate, skip_unless


def shipped(name):
    """What it recommends was run; patched in, it is what the next run finds."""
    result, done = shipped_with(name)
    advice = result["recommendation"]
    proof = next(run for run in result["runs"] if run["id"] == advice["verified_by_run"])
    assert proof["passed"], proof
    equal(sorted(proof["read_only"]), sorted(advice["read_only"]))
    with tempfile.TemporaryDirectory() as folder:
        copy = f"{folder}/{name}"
        shutil.copytree(f"{ROOT}/scenarios/{name}", copy)
        of_copy = rogate("run", copy, "--out", f"{folder}/one")
        equal(of_copy.returncode, 0, of_copy.stdout + of_copy.stderr)
        patched = rogate("patch", f"{folder}/one/result.json", "--in-place", "--root", folder)
        equal(patched.returncode, 0, patched.stdout + patched.stderr)
        again = rogate("run", copy, "--out", f"{folder}/two")
        equal(again.returncode, 0, again.stdout + again.stderr)
        with open(f"{folder}/two/result.json") as file:
            verdicts = {each["target"]: each["verdict"] for each in json.load(file)["mounts"]}
        equal({target: verdicts[target] for target in advice["read_only"]}, dict.fromkeys(advice["read_only"], "already-ro"), again.stdout)
        nothing = rogate("patch", f"{folder}/two/result.json")
        equal((nothing.returncode, nothing.stdout), (0, ""), nothing.stderr)
    return result, done


def shipped_with(name, *options):
    skip_unless(os.stat(ROOT).st_uid == os.geteuid(), "the scenario's files are another user's, whose the subject cannot write to either")
    with open(f"{ROOT}/scenarios/{name}/expected.json") as file:
        expected = json.load(file)
    with tempfile.TemporaryDirectory() as out:
        before = fingerprint(f"{ROOT}/scenarios/{name}")
        done = rogate("run", f"{ROOT}/scenarios/{name}", "--out", out, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        with open(f"{out}/result.json") as file:
            result = json.load(file)
        jsonschema.validate(result, RESULT_SCHEMA)
        equal({each["target"]: each["verdict"] for each in result["mounts"]}, expected, done.stdout)
        equal(fingerprint(f"{ROOT}/scenarios/{name}"), before, "the scenario's own data changed")
        equal(stat.S_IMODE(os.stat(f"{out}/result.json").st_mode), 0o600)
    return result, done


def test_nginx():
    _, done = shipped("nginx")
    contains(done.stdout, "tolerated", "open-write  /etc/nginx/conf.d/default.conf  EROFS", "Mount read-only: ")


def test_redis():
    shipped("redis")


def test_postgresql():
    result, _ = shipped("postgresql")
    # An environment value of the scenario, which is a password, is nowhere in the result.
    assert "sample-password" not in json.dumps(result)
    contains(json.dumps(result), "POSTGRES_PASSWORD")
