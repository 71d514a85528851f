"""Writes the gallery's answers and pages. ci/gallery.sh calls it.

  pages.py command NAME              print the `docker run` line that NAME's scenario starts
  pages.py answer [--check] NAME     make NAME/answer.json of the result in build/gallery/NAME
  pages.py write [--check]           make the parts of the pages that are made of answers

--check writes nothing, and says what differs. An answer differs if a verdict does, what is recommended, or where
something is written; which names and when, and the version, may vary.
"""
import difflib
import json
import os
import re
import shlex
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, "..", "..", "build", "gallery")
BEGIN, END = "<!-- made by ci/gallery.sh; do not edit -->", "<!-- end of what is made -->"
MOST_NAMES = 4
WIDTH = 118


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def scenario(name):
    return yaml.safe_load(read(f"{HERE}/{name}/scenario.yaml"))


def applications():
    return sorted(name for name in os.listdir(HERE) if os.path.isfile(f"{HERE}/{name}/scenario.yaml"))


def answer_of(name):
    path = f"{HERE}/{name}/answer.json"
    return json.loads(read(path)) if os.path.exists(path) else None


# --- a result's answer ---

def below(path, directory):
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def by_kind(name):
    """What varies in a name: numbers, and what mktemp makes up."""
    name = re.sub(r"\b[0-9a-f]{12}\b", "HOSTNAME", name)
    name = re.sub(r"\d{3,}", "N", name)
    return re.sub(r"(?<=[._-])(?=\w*[A-Z0-9])(?=\w*[a-z])[A-Za-z0-9]{6,10}$", "X", name)


def in_order(words):
    return list(dict.fromkeys(words))


def written(mount, arrangement):
    """What the control run wrote on a mount, and where: below what stays writable, else by folder."""
    target = mount["target"]
    places = [each["path"] for each in arrangement if each["mount"] == target]
    groups = {}
    for write in sorted(mount.get("writes", []), key=lambda each: each["first_s"]):
        path = write["path"]
        over = [each for each in places if below(path, each)]
        place = max(over, key=len) if over else os.path.dirname(path) if target == "/" else target
        group = groups.setdefault(place, {"names": [], "when": [], "by": []})
        rest = by_kind(os.path.relpath(path, place)) if path != place else "."
        group["names"].append(rest + ("/" if write["operation"] == "mkdir" else ""))
        phase = write["phase"].removeprefix("step ")
        group["when"].append("start" if phase in ("entrypoint", "ready") else phase)
        group["by"].append(os.path.basename(write["process"]["exe"]) or write["process"]["comm"])
    found = []
    for place, group in sorted(groups.items()):
        folders = {each for each in group["names"] if each.endswith("/")}
        names = in_order(each + "/" if each + "/" in folders else each for each in group["names"] if each != ".")
        names = names or ["the folder itself"]
        entry = {"below": place, "names": names[:MOST_NAMES], "when": in_order(group["when"]), "by": in_order(group["by"])}
        if len(names) > MOST_NAMES:
            entry["more"] = len(names) - MOST_NAMES
        found.append(entry)
    return found


def make_answer(name):
    folder = f"{RESULTS}/{name}"
    result = json.loads(read(f"{folder}/result.json"))
    package = re.search(r"apt-get install (\S+)", read(f"{HERE}/{name}/Dockerfile")).group(1)
    versions = dict(line.split("\t") for line in read(f"{folder}/packages").splitlines())
    recommended = result["recommendation"]
    arrangement = recommended.get("writable", [])
    answer = {"package": package, "version": versions[package], "mounts": []}
    for mount in result["mounts"]:
        if not mount.get("candidate"):
            continue
        entry = {"target": mount["target"], "verdict": mount["verdict"], "writes": written(mount, arrangement)}
        answer["mounts"].append(entry)
    answer["read_only"] = recommended.get("read_only", [])
    answer["writable"] = [{"path": each["path"], "mount": each["mount"], "as": each["as"],
                           **({"options": each["tmpfs_options"]} if each.get("tmpfs_options") else {})} for each in arrangement]
    answer["variables"] = recommended.get("environment", {})
    line = read(f"{folder}/patched").strip()
    answer["command"] = line.splitlines()[-1] if line else ""
    if not line and answer["read_only"]:
        answer["refused"] = read(f"{folder}/notes").strip()
    return answer


def what_counts(answer):
    """As lines, so that a difference can be read."""
    if answer is None:
        return []
    lines = []
    for mount in answer["mounts"]:
        lines.append(f"{mount['target']}: {mount['verdict']}")
        lines += [f"{mount['target']}: writes below {each['below']}" for each in mount["writes"]]
    lines += [f"read-only: {each}" for each in answer["read_only"]]
    lines += [f"writable: {each['path']} as {each['as']} {each.get('options', '')}".rstrip() for each in answer["writable"]]
    lines += [f"variable: {each}={value}" for each, value in answer["variables"].items()]
    return lines + [f"command: {answer['command']}"]


# --- pages ---

def code(text):
    return f"`{text}`"


def cell(words, most, more=0):
    more += len(words[most:])
    return ", ".join(words[:most]) + (f" and {more} more" if more else "")


def table(answer):
    rows = ["| place | answer | what is written | when | by |", "| --- | --- | --- | --- | --- |"]
    kept = {each["path"]: each for each in answer["writable"]}
    not_kept = {"required": "has to be writable", "split": "does without", "tolerated": "does without"}
    for mount in answer["mounts"]:
        single = [each for each in mount["writes"] if each["below"] == mount["target"]]
        others = [each for each in mount["writes"] if each["below"] != mount["target"]]
        rows.append(row(mount["target"], code(mount["verdict"]), single[0] if single else None, bool(others)))
        for each in others:
            place = kept.get(each["below"])
            rows.append(row(each["below"], f"writable: {place['as']}" if place else not_kept[mount["verdict"]], each, False))
    return rows


def row(place, what, writes, more_below):
    if writes is None:
        return f"| {code(place)} | {what} | {'see below' if more_below else 'nothing'} | | |"
    names = [code(each) if each != "the folder itself" else each for each in writes["names"]]
    programs = [code(each) for each in writes["by"]]
    for most, times, makers in ((MOST_NAMES, 4, 3), (4, 3, 2), (4, 2, 2), (3, 2, 2), (3, 2, 1), (2, 2, 1), (2, 1, 1), (1, 1, 1)):
        said = (f"| {code(place)} | {what} | {cell(names, most, writes.get('more', 0))} | {cell(writes['when'], times)} | "
                f"{cell(programs, makers)} |")
        if len(said) <= WIDTH:
            break
    return said


def command_lines(command):
    """The command line on lines that can be read, one option with its value after the other."""
    words, lines, line = [shlex.quote(each) for each in shlex.split(command)], [], "$"
    at = 0
    while at < len(words):
        takes = 2 if words[at] in ("-v", "--tmpfs", "-p", "-e", "--name", "--hostname", "--env", "--mount", "--volume") else 1
        part = " ".join(words[at:at + takes])
        if len(line) + len(part) + 3 > 100:
            lines.append(line + " \\")
            line = "   "
        line += " " + part
        at += takes
    return lines + [line]


def made_part(name, answer):
    lines = [f"{code(answer['package'])} {answer['version'].split(':')[-1]}", ""] + table(answer)
    lines += [""]
    if not answer["read_only"]:
        lines += ["rogate recommends nothing here."]
    elif answer["command"]:
        lines += ["What rogate recommends, and has run:", "", "```console", *command_lines(answer["command"]), "```"]
    else:
        lines += ["rogate cannot write this as a command line:", "", "```", *wrapped(answer["refused"]), "```"]
    return "\n".join(lines)


def wrapped(text):
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    return lines + [line]


def index_part(answers):
    rows = ["| application | `/` | tmpfs | volume | only read |", "| --- | --- | --- | --- | --- |"]
    for name, answer in answers.items():
        verdicts = {each["target"]: each["verdict"] for each in answer["mounts"]}
        columns = [[code(each["path"]) for each in answer["writable"] if each["as"] == kind] for kind in ("tmpfs", "volume")]
        columns[1] += [code(each) for each, verdict in verdicts.items() if verdict == "required" and each != "/"]
        columns.append([code(each) for each in answer["read_only"] if each != "/"])
        link, root = f"[{name}]({name}/README.md)", verdicts.get("/", "")
        for at in range(max(1, *map(len, columns))):
            cells = [each[at] if at < len(each) else "" for each in columns]
            said = "| " + " | ".join([link, root, *cells]) + " |"
            if len(said) > WIDTH and link:
                rows.append(f"| {link} | {root} | | | |")
                said = "| " + " | ".join(["", "", *cells]) + " |"
            rows.append(re.sub(r"\| +(?=\|)", "| ", said))
            link = root = ""
    return "\n".join(rows)


def with_part(page, part):
    """The page with this text between the marks."""
    text = read(page)
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"{page}: has not the two lines {BEGIN!r} and {END!r}")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{part}\n\n{END}{rest.split(END)[1]}"


def put(path, text, check):
    """Whether the file differs; it is written unless it is only to be checked."""
    old = read(path) if os.path.exists(path) else ""
    if old == text:
        return False
    if check:
        name = os.path.relpath(path, HERE)
        sys.stderr.writelines(difflib.unified_diff(old.splitlines(True), text.splitlines(True), name, name + " as it would be made"))
        return True
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return False


def write_pages(check):
    answers = {name: answer_of(name) for name in applications()}
    missing = [name for name, answer in answers.items() if answer is None]
    for name in missing:
        print(f"{name}: has no answer.json; ci/gallery.sh {name} makes it", file=sys.stderr)
        del answers[name]
    differs = [put(f"{HERE}/{name}/README.md", with_part(f"{HERE}/{name}/README.md", made_part(name, answer)), check)
               for name, answer in answers.items()]
    differs.append(put(f"{HERE}/README.md", with_part(f"{HERE}/README.md", index_part(answers)), check))
    return any(differs) or bool(missing)


def write_answer(name, check):
    new, old = make_answer(name), answer_of(name)
    if not check:
        return put(f"{HERE}/{name}/answer.json", json.dumps(new, indent=1) + "\n", False)
    if old and old["version"] != new["version"]:
        print(f"{name}: the answer is of version {old['version']}, this is {new['version']}", file=sys.stderr)
    was, now = what_counts(old), what_counts(new)
    if was == now:
        return False
    print(f"{name}: the answer is another one (ci/gallery.sh {name} would write it):", file=sys.stderr)
    for line in difflib.ndiff(was, now):
        if line[0] in "-+":
            print(f"  {line}", file=sys.stderr)
    return True


def main(command, *arguments):
    check = "--check" in arguments
    names = [each for each in arguments if each != "--check"]
    if command == "command":
        print(" ".join(scenario(names[0])["subject"]["docker_run"].split()))
    elif command == "answer":
        sys.exit(write_answer(names[0], check))
    elif command == "write":
        sys.exit(write_pages(check))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
