"""check_manual.py ROGATE: links lead somewhere, lines are short, and the examples are what rogate understands. No engine is asked;
tests/integration/manual_cases.py runs the blocks that are marked with <!-- test: … -->."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import jsonschema
import yaml

from manual import ROOT, anchors, blocks, links, pages, prose, read

ROGATE = os.path.abspath(sys.argv[1])
LONGEST_LINE = 120
README_BYTES = 8192
# Programs in examples that are not rogate's own.
OTHERS = {"docker", "curl", "git", "ctest", "cmake", "ninja", "sleep", "until", "do", "done", "sudo", "tail", "man", "mkdir", "ln",
          "helm", "command", "source", "build/dev/unit_campaign"}


def schema(name):  # "scenario", "policy", …
    with open(f"{ROOT}/scenarios/{name}.schema.json", encoding="utf-8") as file:
        return json.load(file)


class Loader(yaml.SafeLoader):
    """Days stay what they are in rogate's files: texts."""


Loader.yaml_implicit_resolvers = {first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:timestamp"]
                                  for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def check_lines():
    for page in pages():
        for number, line in enumerate(read(page).splitlines(), 1):
            if len(line) > LONGEST_LINE:
                yield f"{page}:{number}: {len(line)} characters; at most {LONGEST_LINE}"


def check_front_page():
    if (size := len(read("README.md").encode())) > README_BYTES:
        yield f"README.md has {size} bytes; at most {README_BYTES}"
    for script in ("ci/quickstart.sh", "ci/test.sh"):
        if script not in read("README.md"):
            yield f"README.md does not name {script}"


def check_links():
    for page in pages():
        for number, target in links(page):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            full = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            if not os.path.exists(f"{ROOT}/{full}"):
                yield f"{page}:{number}: {target} leads nowhere"
            elif anchor and anchor not in anchors(full):
                yield f"{page}:{number}: {full} has no heading #{anchor}"


def check_reached():
    """A page that no other page links to is found by nobody."""
    reached = {os.path.normpath(os.path.join(os.path.dirname(page), target.partition("#")[0]))
               for page in pages() for _, target in links(page)}
    for page in pages():
        if page != "README.md" and not page.startswith(".github/") and page not in reached:
            yield f"{page}: no page links to it"


def load(text, folder):
    """What rogate says of a scenario without an engine: None if it can be run."""
    path = os.path.join(folder, "scenario.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([ROGATE, "--host", f"unix://{folder}/no-engine", "run", path, "-q", "--allow-commands"], capture_output=True,
                          text=True, cwd=folder, timeout=60)
    # Exit code 3: it was understood, and then there was no engine.
    return None if done.returncode == 3 else done.stderr


def check_yaml():
    kinds = {"accept": "policy", "subject": "scenario", "scenarios": "scenario", "states": "scenario", "data": "scenario",
             "steps": "scenario", "ready": "scenario", "repos": None, "include": None, "jobs": None, "rogate": None}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(f"{ROOT}/tests/docs/files", folder, dirs_exist_ok=True)
        for page in pages():
            for block in blocks(page):
                if block.language != "yaml":
                    continue
                try:
                    value = yaml.load(block.text, Loader)
                except yaml.YAMLError as error:
                    yield f"{block.place}: {error}"
                    continue
                modeline = re.search(r"\$schema=\S*?(\w+)\.schema\.json", block.text)
                kind = modeline.group(1) if modeline else next((kinds[key] for key in value if key in kinds), "")
                if kind == "":
                    yield f"{block.place}: of what kind is this? name its schema as the first line does elsewhere"
                if not kind:
                    continue
                try:
                    jsonschema.validate(value, schema(kind))
                except jsonschema.ValidationError as error:
                    yield f"{block.place}: {error.message} (at {'/'.join(map(str, error.path))})"
                if kind == "scenario" and (trouble := load(block.text, folder)):
                    yield f"{block.place}: {trouble}"


HELP = {}


def help_of(command):
    if command not in HELP:
        done = subprocess.run([ROGATE, *command, "--help"], capture_output=True, text=True, timeout=60)
        HELP[command] = done.stdout if done.returncode == 0 else ""
    return HELP[command]


def words_of(command):
    """The words of a command line, quotes taken away, cut at pipes and the like: a list for each program in it."""
    programs, quoted = [[]], re.compile(r"""'[^']*'|"[^"]*"|(?<!\S)#.*|\|\|?|&&|;|\$\(|\)|[^\s|&;()]+""")
    for word in quoted.findall(command):
        if word.startswith("#"):
            break
        if word in ("|", "||", "&&", ";", "$(", ")"):
            programs.append([])
        else:
            programs[-1].append(word)
    return [each for each in programs if each]


def check_words(words):
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    if not words:
        return
    program = words[0]
    if program.endswith("/rogate") or program == "rogate" or program == "docker" and words[1:2] == ["rogate"]:
        rest = words[2 if program == "docker" else 1:]
        command, known = (), help_of(())
        for word in rest:
            if word == "--":
                return
            if not command and re.search(rf"^  {re.escape(word)} ", help_of(()), re.M):
                command, known = (word,), help_of((word,)) + help_of(())
            elif word.startswith("-") and word != "-":
                option = word.split("=")[0]
                if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", known):
                    yield f"'{' '.join(command)}' has no option {option}"
        if rest and not command and not any(each.startswith("--") for each in rest):
            yield f"no command of rogate's in '{' '.join(words)}'"
    elif program.startswith(("ci/", "images/", ".ci/")):
        if not os.access(f"{ROOT}/{program}", os.X_OK):
            yield f"{program} cannot be executed"
            return
        script = read(program)
        for option in re.findall(r"(?<!\S)--[\w-]+", " ".join(words[1:words.index("--")] if "--" in words else words[1:])):
            if option not in script and option not in read("tests/bench/main.py"):
                yield f"{program} does not know {option}"
    elif program.startswith("python3") or program.endswith("/python3"):
        for word in words:
            if word.endswith(".py") and not os.path.exists(f"{ROOT}/{word}"):
                yield f"{word} is not there"
    elif program not in OTHERS:
        yield f"what is '{program}'? name it in tests/docs/check_manual.py"


def check_console():
    for page in pages():
        for block in blocks(page):
            if block.language != "console":
                continue
            found = block.commands()
            if not found:
                yield f"{block.place}: a console block without a command"
            for command, _ in found:
                for words in words_of(command):
                    for trouble in check_words(words):
                        yield f"{block.place}: {trouble}"


def check_commands():
    """The front page names every command, and none that is not there."""
    there = set(re.findall(r"^  ([a-z][a-z-]*) ", help_of(()).split("Subcommands:")[1].split("\nExit")[0], re.M)) - {"help"}
    named = set(re.findall(r"^\| `rogate ([a-z-]+)`", read("README.md"), re.M))
    for name in sorted(there - named):
        yield f"README.md: the table of commands lacks `rogate {name}`"
    for name in sorted(named - there):
        yield f"README.md: there is no `rogate {name}`"
    for page in pages():
        for number, line in prose(page):
            for name in re.findall(r"`rogate ([a-z][a-z-]+)", line):
                if name not in there | {"help"}:
                    yield f"{page}:{number}: there is no `rogate {name}`"


failed = False
for check in (check_lines, check_front_page, check_links, check_reached, check_yaml, check_console, check_commands):
    for trouble in check():
        failed = True
        print(trouble)
sys.exit(1 if failed else 0)
