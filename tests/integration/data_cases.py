"""How the data are kept out of reach where an overlay cannot do it."""
import contextlib
import os
import subprocess

from support import IDLE, equal, fingerprint, project


@contextlib.contextmanager
def overlay_of_an_overlay(p):
    """A folder that the kernel does not put under a third overlay."""
    layers = [p.path("base")]
    p.make("base", {"file": "text\n"})
    try:
        for level in ("one", "two"):
            parts = {each: p.path(f"{level}-{each}") for each in ("upper", "work", "whole")}
            for folder in parts.values():
                os.makedirs(folder)
            subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                            f"lowerdir={layers[-1]},upperdir={parts['upper']},workdir={parts['work']}", parts["whole"]], check=True)
            layers.append(parts["whole"])
        yield layers[-1]
    finally:
        for mounted in reversed(layers[1:]):
            subprocess.run(["umount", mounted], check=True)


def test_what_no_overlay_can_lie_on_is_copied_and_the_others_are_not():
    with project() as p, overlay_of_an_overlay(p) as stacked:
        p.make("plain", {"file": "text\n"})
        p.scenario(f"cat /stacked/file /plain/file; echo x >/stacked/file; echo x >/plain/file; {IDLE}",
                   [f"{stacked}:/stacked", "./plain:/plain"])
        before = [fingerprint(stacked), fingerprint(p.path("plain"))]
        done = p.run()
        equal(done.returncode, 0, done.stderr)
        equal([fingerprint(stacked), fingerprint(p.path("plain"))], before)
        equal(p.result["data"], "copy+overlay")
        equal(p.verdicts(), {"/stacked": "tolerated", "/plain": "tolerated"})
