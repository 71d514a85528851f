"""The shipped scenarios, on the real servers."""
import json
import os
import stat
import tempfile

import jsonschema

from support import RESULT_SCHEMA, ROOT, contains, equal, fingerprint, rogate


def shipped(name):
    return shipped_with(name)


def shipped_with(name, *options):
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
    result, done = shipped("nginx")
    contains(done.stdout, "tolerated", "open-write  /etc/nginx/conf.d/default.conf  EROFS", "Mount read-only: ")
    proof = next(run for run in result["runs"] if run["id"] == result["recommendation"]["verified_by_run"])
    assert proof["passed"]
    equal(sorted(proof["read_only"]), sorted(result["recommendation"]["read_only"]))


def test_redis():
    shipped("redis")


def test_postgresql():
    result, _ = shipped("postgresql")
    # An environment value of the scenario, which is a password, is nowhere in the result.
    assert "sample-password" not in json.dumps(result)
    contains(json.dumps(result), "POSTGRES_PASSWORD")
