"""Reports from very many attempts."""
import json
import os
import subprocess
import time

from measure import Line, ROOT, WORK

FORMATS = ("terminal", "json", "markdown", "html", "junit", "sarif", "requirements")


def make_result(attempts):
    """One of the tests' golden results, with `attempts` distinct attempts on one of its mounts."""
    path = f"{WORK}/result-{attempts}.json"
    with open(f"{ROOT}/tests/golden/result.json") as file:
        result = json.load(file)
    mount = next(each for each in result["mounts"] if each.get("attempts"))
    pattern = mount["attempts"][0]
    mount["attempts"] = ["@"]
    before, after = json.dumps(result).split('"@"')
    target = mount["target"].rstrip("/")
    with open(path, "w") as file:
        file.write(before)
        for i in range(attempts):
            text = json.dumps({**pattern, "path": f"{target}/d{i % 1000}/file-{i}"})
            file.write(text + ("," if i + 1 < attempts else ""))
        file.write(after)
    return path


def sample(rogate, result, kind):
    start = time.monotonic()
    with open("/dev/null", "wb") as null:
        process = subprocess.Popen([rogate, "report", result, "-f", kind, "-o", f"{WORK}/report"], stdout=null)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    if status:
        raise RuntimeError(f"rogate report -f {kind} ended with {status}")
    return {"s": time.monotonic() - start, "cpu_s": usage.ru_utime + usage.ru_stime, "mb": usage.ru_maxrss * 1024 / 1e6}


def run(settings):
    """CPU time, once for each size: it varies little, and a report of a million takes seconds."""
    lines = []
    sizes = (settings.count(100_000), settings.count(1_000_000))
    results = [make_result(size) for size in sizes]
    for kind in FORMATS:
        small, large = (sample(settings.rogate, result, kind) for result in results)
        lines.append(Line(f"`rogate report -f {kind}`, 1,000,000 attempts", "100,000 attempts", "2 s, 300 MB, in proportion",
                          f"{large['cpu_s']:.1f} s, {large['mb']:.0f} MB ({small['cpu_s']:.2f} s, {small['mb']:.0f} MB)",
                          {"100,000": small, "1,000,000": large}))
    for path in [*results, f"{WORK}/report"]:
        os.unlink(path)
    return lines
