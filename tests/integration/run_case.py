"""run_case.py ROGATE GROUP CASE: runs test_CASE of GROUP_cases.py, and looks at what it left on the engine."""
import importlib
import sys

from support import left_after, leftovers, rogate


def main():
    case = getattr(importlib.import_module(sys.argv[2] + "_cases"), "test_" + sys.argv[3])
    # Another rogate that is running on this engine is waited for: what it has there is not left over.
    left = left_after(120)
    assert not left, f"something of rogate's was on the engine before the test (remove it with `rogate clean`): {left}"
    try:
        case()
        left = left_after(5)  # an observer's container removes itself a moment after it ended
        assert not left, f"left on the engine: {left}"
    finally:
        if leftovers():
            rogate("clean")


main()
