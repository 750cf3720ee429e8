"""Puts the pinned SDKs under the work directory, once per lock file."""

import hashlib
import shutil
import subprocess
import sys

TIMEOUT = 900  # seconds; a first installation downloads


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT,
                          check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}")
    return done.stdout


def fingerprint(files, more):
    digest = hashlib.sha256(more.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_current(target, stamp):
    file = target / "installed"
    return file.exists() and file.read_text() == stamp


def python(source, target):
    """Returns the command that runs the suite."""
    requirements = source / "requirements.txt"
    interpreter = target / "venv" / "bin" / "python"
    stamp = fingerprint([requirements], sys.version)
    if not is_current(target, stamp):
        print("installing the python SDK ...", flush=True)
        shutil.rmtree(target, ignore_errors=True)
        run([sys.executable, "-m", "venv", target / "venv"])
        run([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements])
        (target / "installed").write_text(stamp)
    return [interpreter, "-B", source / "suite.py"]


def node(source, target):
    """Returns the command that runs the suite; the tests are copied to where they find the SDK."""
    program = shutil.which("node") or shutil.which("nodejs")
    npm = shutil.which("npm")
    if not program or not npm:
        sys.exit("node and npm are needed")
    locks = [source / "package.json", source / "package-lock.json"]
    stamp = fingerprint(locks, run([program, "--version"]))
    if not is_current(target, stamp):
        print("installing the node SDK ...", flush=True)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for lock in locks:
            shutil.copy(lock, target)
        run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=target)
        (target / "installed").write_text(stamp)
    for old in target.glob("*.mjs"):
        old.unlink()
    for file in source.glob("*.mjs"):
        shutil.copy(file, target)
    return [program, "--test", "--test-reporter=spec", *sorted(target.glob("*.test.mjs"))]


INSTALLERS = {"python": python, "node": node}
