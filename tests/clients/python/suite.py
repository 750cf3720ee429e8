"""Runs every test of this folder and closes with the counts that the runner reads."""

import pathlib
import sys
import unittest


def main():
    here = str(pathlib.Path(__file__).resolve().parent)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(unittest.defaultTestLoader.discover(here))
    broken = {getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors}
    broken |= {test.id() for test in result.unexpectedSuccesses}
    print(f"# pass {max(0, result.testsRun - len(broken) - len(result.skipped))}\n# fail {len(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
