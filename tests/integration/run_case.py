"""run_case.py ROGATE GROUP CASE: runs test_CASE of GROUP_cases.py on an engine of its own, and looks at what it left there."""
import importlib
import signal
import sys

from engines import reserve_engine

SECONDS = 600  # from when the case has an engine; waiting for one is not its fault


def too_long(_signal, _frame):
    raise TimeoutError(f"the case took longer than {SECONDS} s")


def main():
    reserve_engine()
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS)
    from support import left_after, leftovers, rogate
    case = getattr(importlib.import_module(sys.argv[2] + "_cases"), "test_" + sys.argv[3])
    # Another rogate that is running on this engine is waited for: what it has there is not left over.
    left = left_after(120)
    assert not left, f"something of rogate's was on the engine before the test (remove it with `rogate clean`): {left}"
    try:
        case()
        left = left_after(5)  # an observer's container removes itself a moment after it ended
        assert not left, f"left on the engine: {left}"
    finally:
        signal.alarm(0)
        if leftovers():
            rogate("clean")


main()
