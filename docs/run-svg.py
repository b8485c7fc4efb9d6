"""Draws a run of the gate in a terminal: docs/run.svg. Usage: run-svg.py GATE >docs/run.svg, from the root of the project."""

import os
import re
import subprocess
import sys
from xml.sax.saxutils import escape

RECORDING = "approved-by-a-person.jsonl"
WORKFLOW = "inw9i61000g12ifx7tmrd3ggz6"
FLAGS = ["--workflow", WORKFLOW, "--require", "not-plan-only", "--require", "no-failed-steps", "--assert", "$.install_deploy_type == 'apply'"]
COLORS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "2": "#8b949e"}
WIDTH, LINE, CHAR = 108, 19, 8.4


def run(gate):
    """All lines of the run, as somebody sees them who typed the command."""
    path = os.path.join("examples/recordings", RECORDING)
    command = [gate, "replay", path, *FLAGS]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, env={"CLICOLOR_FORCE": "1"})
    typed = ["$ deploy-gate replay " + RECORDING + " \\", f"    --workflow {WORKFLOW} \\"]
    typed.append("    --require not-plan-only --require no-failed-steps \\")
    typed.append("    --assert \"$.install_deploy_type == 'apply'\"")
    return typed + ran.stdout.replace("examples/recordings/", "").splitlines()


def spans(line):
    """The parts of a line, each with its color."""
    color = "#e6edf3"
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b"):
            codes = [code for code in part[2:-1].split(";") if code in COLORS]
            color = COLORS[codes[0]] if codes else "#e6edf3"
        elif part:
            yield color, part


def draw(lines):
    lines = [line if len(line) <= WIDTH + 20 else line[: WIDTH + 19] + "…" for line in lines]
    height = LINE * len(lines) + 32
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * CHAR:.0f} {height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">'
    yield f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/>'
    for number, line in enumerate(lines):
        text = "".join(f'<tspan fill="{color}">{escape(part)}</tspan>' for color, part in spans(line))
        yield f'<text x="16" y="{LINE * number + 28}" xml:space="preserve">{text}</text>'
    yield "</svg>"


print("\n".join(draw(run(os.path.abspath(sys.argv[1])))))
