"""What the end-to-end runs share: a command that is run, and a claim that is checked."""

import os
import subprocess
import sys


def check(what, truth, said=""):
    if not truth:
        sys.exit(f"{said}\n\nNOT TRUE: {what}")
    print(f"ok: {what}", flush=True)


def run(command, folder, **variables):
    """Runs a command and returns its exit code and all that it said."""
    ran = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **{name: str(value) for name, value in variables.items()}},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return ran.returncode, ran.stdout
