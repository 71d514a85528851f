"""The manual as data: its pages, their links, headings and fenced blocks."""
import dataclasses
import os
import re
import subprocess

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# Reports as rogate writes them, and what others wrote.
NOT_OURS = ("tests/golden/", "tests/unit/", "tests/browser/node_modules/")


@dataclasses.dataclass
class Block:
    page: str
    line: int
    language: str
    text: str
    marker: str  # of the comment <!-- test: MARKER --> before it; empty: none

    @property
    def place(self):
        return f"{self.page}:{self.line}"

    def commands(self):
        """[(command, the output lines shown below it)] of a console block. Comments stay."""
        found = []
        for line in self.text.splitlines():
            if found and found[-1][0].endswith("\\"):
                found[-1][0] = found[-1][0][:-1] + line
            elif line.startswith("$ "):
                found.append([line[2:], []])
            elif found and line.strip():
                found[-1][1].append(line)
        return found


def pages():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [each for each in listed.splitlines() if not each.startswith(NOT_OURS) and os.path.exists(f"{ROOT}/{each}")]


def read(page):
    with open(f"{ROOT}/{page}", encoding="utf-8") as file:
        return file.read()


def blocks(page):
    found, marker, open_block = [], "", None
    for number, line in enumerate(read(page).splitlines(), 1):
        if open_block is not None:
            if line.startswith("```"):
                found.append(open_block)
                open_block, marker = None, ""
            else:
                open_block.text += line + "\n"
        elif line.startswith("```"):
            open_block = Block(page, number, line[3:].strip(), "", marker)
        elif match := re.fullmatch(r"<!-- test: (.*) -->", line.strip()):
            marker = match.group(1)
    assert open_block is None, f"{open_block.place}: a fenced block that does not end"
    return found


def prose(page):
    """(number, line) of what is outside of fenced blocks."""
    fenced = False
    for number, line in enumerate(read(page).splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def anchors(page):
    """As GitHub makes them of headings."""
    found = set()
    for _, line in prose(page):
        if match := re.match(r"#+ (.*)", line):
            text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", match.group(1)).replace("`", "").lower()
            found.add(re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-"))
    return found


def links(page):
    for number, line in prose(page):
        without_code = re.sub(r"`[^`]*`", "", line)
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code):
            yield number, target
