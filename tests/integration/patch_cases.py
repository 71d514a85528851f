"""rogate patch as a user runs it: diffs that git takes, files changed in place, and the round trip through an engine."""
import json
import os
import subprocess
from tempfile import TemporaryDirectory as temporary_folder

from support import IMAGE, ROGATE, rogate

COMPOSE = """# The shop.
services:
  shop:
    image: shop:staging   # pinned by the pipeline
    volumes:
      - './app:/srv/app'
      - conf:/etc/shop:z
volumes: {conf: {}}
"""
PATCHED = """# The shop.
services:
  shop:
    image: shop:staging   # pinned by the pipeline
    volumes:
      - './app:/srv/app:ro'
      - conf:/etc/shop:ro,z
    tmpfs:
      - /srv/app/run:uid=33,gid=33
volumes: {conf: {}}
"""


def a_result(folder, **origin):
    """The golden result, about a Compose file in the folder."""
    with open(os.path.join(os.path.dirname(__file__), "..", "golden", "result.json")) as file:
        result = json.load(file)
    result["subject"]["origin"] = {"kind": "compose", "files": ["compose.yaml"], "name": "shop", "container": "", **origin}
    for mount in result["mounts"]:
        mount.pop("declared", None)
    result["recommendation"] = {"read_only": ["/srv/app", "/etc/shop"], "verified_by_run": 2, "writable": [
        {"path": "/srv/app/run", "as": "tmpfs", "mount": "/srv/app", "tmpfs_options": "uid=33,gid=33", "reason": "",
         "needs_mount_point": False}]}
    path = os.path.join(folder, "result.json")
    with open(path, "w") as file:
        json.dump(result, file)
    return path


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", newline="") as file:
        file.write(text)
    return path


def read(path):
    with open(path, newline="") as file:
        return file.read()


def test_diff_is_taken_by_git():
    with temporary_folder() as folder:
        a_result(folder)
        compose = write(folder, "compose.yaml", COMPOSE)
        subprocess.run(["git", "init", "-q", folder], check=True)
        here = os.getcwd()
        os.chdir(folder)
        try:
            done = rogate("patch", "result.json")
            assert done.returncode == 0 and done.stdout.startswith("--- a/compose.yaml\n+++ b/compose.yaml\n"), done
            assert read(compose) == COMPOSE, "a diff changes nothing"
            subprocess.run(["git", "apply"], input=done.stdout, text=True, check=True)
            assert read(compose) == PATCHED, read(compose)
            again = rogate("patch", "result.json")
            assert again.returncode == 0 and again.stdout == "" and "nothing to change" in again.stderr, again
            out = rogate("patch", "result.json", "-o", "change.diff")
            assert out.returncode == 0 and read("change.diff") == ""
        finally:
            os.chdir(here)


def test_in_place_keeps_mode_and_links():
    with temporary_folder() as folder:
        result = a_result(folder)
        real = write(folder, "real.yaml", COMPOSE)
        os.chmod(real, 0o640)
        link = os.path.join(folder, "link.yaml")
        os.symlink("real.yaml", link)
        done = rogate("patch", result, "--file", link, "--in-place")
        assert done.returncode == 0 and "is a symbolic link" in done.stderr, done
        assert os.path.islink(link) and read(real) == PATCHED
        assert os.stat(real).st_mode & 0o7777 == 0o640
        assert sorted(os.listdir(folder)) == ["link.yaml", "real.yaml", "result.json"]


def test_input_errors_name_the_place():
    with temporary_folder() as folder:
        result = a_result(folder)
        compose = write(folder, "compose.yaml", COMPOSE.replace("conf:/etc/shop", "conf:/etc/other"))
        done = rogate("patch", result, "--file", compose, "--in-place")
        assert done.returncode == 2 and f"{compose}:4:5: service 'shop' has no mount on /etc/shop" in done.stderr, done
        assert "conf:/etc/other:z" in read(compose) and "app:/srv/app'" in read(compose), "nothing may have been changed"
        assert rogate("patch", result, "--file", folder + "/none.yaml").returncode == 2
        assert rogate("patch", compose).returncode == 2, "no result"
        assert rogate("patch", result, "--file", compose, "--in-place", "-o", "x").returncode == 2


def test_docker_run_command():
    with temporary_folder() as folder:
        done = rogate("patch", a_result(folder), "--command", "docker run -v ./app:/srv/app -v conf:/etc/shop shop serve")
        assert done.returncode == 0, done
        assert done.stdout == ("docker run -v ./app:/srv/app:ro -v conf:/etc/shop:ro --tmpfs /srv/app/run:uid=33,gid=33 "
                               "shop serve\n"), done


def test_round_trip():
    """What a run recommends, patched in, is what the next run finds."""
    with temporary_folder() as folder:
        os.mkdir(os.path.join(folder, "conf"))
        write(os.path.join(folder, "conf"), "app.conf", "x\n")
        scenario = write(folder, "scenario.yaml", f"""name: round
subject:
  image: {IMAGE}
  # Reads its configuration, writes its data; does not end sooner than an observer can look at it.
  command:
    - sh
    - -c
    - |
      trap 'exit 0' TERM
      cat /conf/app.conf
      echo x >/data/x || {{ sleep 2; exit 3; }}
      echo started
      while :; do sleep 0.1; done
  mounts:
    - ./conf:/conf      # only read
    - data:/data
ready:
  log: started
""")
        done = rogate("run", scenario, "--out", folder + "/one")
        assert done.returncode == 0, done
        before = json.load(open(folder + "/one/result.json"))
        assert before["recommendation"]["read_only"] == ["/conf"], before["recommendation"]
        done = rogate("patch", folder + "/one/result.json", "--in-place", "--root", folder)
        assert done.returncode == 0, done
        assert "    - ./conf:/conf:ro      # only read\n    - data:/data\n" in read(scenario), read(scenario)
        done = rogate("run", scenario, "--out", folder + "/two")
        assert done.returncode == 0, done
        after = json.load(open(folder + "/two/result.json"))
        verdicts = {mount["target"]: mount["verdict"] for mount in after["mounts"]}
        assert verdicts["/conf"] == "already-ro" and verdicts["/data"] == "required", verdicts
        done = rogate("patch", folder + "/two/result.json")
        assert done.returncode == 0 and done.stdout == "", done


def in_place(folder, *words):
    done = subprocess.run([ROGATE, "patch", "result.json", "--in-place", *words], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stderr


def test_in_place_stays_in_the_folder():
    """A result is data: it does not choose which files are changed. Links that lead out are seen."""
    with temporary_folder() as top:
        here, elsewhere = os.path.join(top, "here"), os.path.join(top, "elsewhere")
        os.mkdir(here)
        os.mkdir(elsewhere)
        away = write(elsewhere, "compose.yaml", COMPOSE)
        os.symlink(away, os.path.join(here, "link.yaml"))
        os.symlink(elsewhere, os.path.join(here, "sub"))
        for name in ("../elsewhere/compose.yaml", away, "link.yaml", "sub/compose.yaml"):
            a_result(here, files=[name])
            code, said = in_place(here)
            assert code == 2 and "outside of" in said and "--root" in said, (name, said)
            assert read(away) == COMPOSE, name
        # A link that the user names is not what the user sees.
        code, said = in_place(here, "--file", "link.yaml")
        assert code == 2 and read(away) == COMPOSE, said
        assert in_place(here, "--root", "nowhere")[0] == 2
        for words in (("--file", "../elsewhere/compose.yaml"), ("--root", ".."), ("--root", elsewhere, "--file", "link.yaml")):
            write(elsewhere, "compose.yaml", COMPOSE)
            a_result(here, files=["../elsewhere/compose.yaml"])
            code, said = in_place(here, *words)
            assert code == 0 and read(away) == PATCHED, (words, said)


def test_bases_are_looked_into_for_who_shares_a_mount():
    with temporary_folder() as folder:
        write(folder, "compose.yaml", COMPOSE.replace("volumes: {conf", "  worker:\n    extends: {file: base/b.yaml, service: w}\nvolumes: {conf"))
        os.mkdir(os.path.join(folder, "base"))
        write(folder, "base/b.yaml", "services:\n  w:\n    extends: {file: ../c.yaml, service: w}\n")
        write(folder, "c.yaml", "services:\n  w:\n    image: x\n    volumes_from: [shop]\n")
        a_result(folder)
        done = subprocess.run([ROGATE, "patch", "result.json"], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 2 and "'worker'" in done.stderr and "volumes_from" in done.stderr, done.stderr
