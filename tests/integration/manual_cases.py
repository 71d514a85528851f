"""The manual's blocks that are marked with <!-- test: … -->, as a reader would type them in: in order, in a folder of their own.

`shop` is a copy of tests/projects/shop; YAML blocks of the page that begin with "# NAME.yaml" are files in it. Each command has to
end with exit code 0, or with the one that its comment names ("# … exit code 1"), and what is shown below it has to come out of it
("…" stands for anything)."""
import contextlib
import os
import re
import shutil
import subprocess
import sys

from support import ROGATE, ROOT, TOO_LATE, equal, project

sys.path.insert(0, f"{ROOT}/tests/docs")
import manual  # noqa: E402  (the path above)


@contextlib.contextmanager
def typed_in(folder):
    """A PATH on which `rogate` is the program under test."""
    programs = os.path.join(folder, "programs")
    os.mkdir(programs)
    os.symlink(ROGATE, f"{programs}/rogate")
    yield {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}


def shows(shown, output):
    pattern = ".*".join(r"[^\n]*".join(re.escape(part.strip()) for part in line.split("…")) for line in shown)
    return re.search(pattern, output, re.S)


def perform(page, marker, folder):
    done = 0
    with typed_in(folder) as environment:
        work = os.path.join(folder, "work")
        for block in manual.blocks(page):
            if block.language == "yaml" and (name := re.match(r"# (\S+\.yaml)\n", block.text)):
                with open(f"{work}/{name.group(1)}", "w") as file:
                    file.write(block.text)
            if block.language != "console" or block.marker != marker:
                continue
            for command, shown in block.commands():
                for _ in range(3):  # as Project.run does
                    ended = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=work, env=environment,
                                           capture_output=True, text=True, timeout=250)
                    output = ended.stdout + ended.stderr
                    if TOO_LATE not in " ".join(output.split()):
                        break
                wanted = re.search(r"# .*exit code (\d+)", command)
                equal(ended.returncode, int(wanted.group(1)) if wanted else 0, f"{block.place}: {command}\n{output}")
                assert shows(shown, output), f"{block.place}: {command}\nshown: {shown}\n{output}"
                done += 1
    assert done, f"{page} has no commands marked '{marker}'"


def test_the_front_page():
    with project() as p:
        shutil.copytree(f"{ROOT}/tests/projects/shop", p.path("work"))
        perform("README.md", "shop", p.folder)
