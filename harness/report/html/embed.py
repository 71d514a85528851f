"""embed.py PAGE.HTML OUT STYLE.CSS SCRIPT.JS…: one page with its style and script in it.

A content security policy lets exactly these run: the hashes are theirs. Whatever else got into a page would be text.
"""
import base64
import hashlib
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def source(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


page, out, style, *scripts = sys.argv[1:]
css = "\n" + read(style)
js = "\n(() => {\n'use strict';\n" + "\n".join(read(each) for each in scripts) + "})();\n"
assert "</" not in css and "</script" not in js and "<!--" not in js
policy = f"default-src 'none'; style-src {source(css)}; script-src {source(js)}; base-uri 'none'; form-action 'none'"
text = read(page)
for mark, value in {"{{policy}}": policy, "{{style}}": css, "{{script}}": js}.items():
    assert text.count(mark) == 1, mark
    text = text.replace(mark, value)
assert text.count("{{title}}") == 1 and text.count("{{data}}") == 1
with open(out, "w", encoding="utf-8") as file:
    file.write(text)
