"""Runs beside GIMP (in the chroot or not) and starts programs as it is told on stdin.

One JSON object per line: {"run": [...], "timeout": s} waits and answers {"rc", "out"};
{"spawn": [...], "log": path} answers {"pid"}. When stdin ends, everything started ends too.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path


def run(order: dict) -> dict:
    done = subprocess.run(
        order["run"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=order.get("timeout", 60),
        env={**os.environ, **order.get("env", {})},
        check=False,
    )
    return {"rc": done.returncode, "out": base64.b64encode(done.stdout).decode()}


def spawn(order: dict) -> tuple[dict, subprocess.Popen]:
    with Path(order["log"]).open("wb") as log:
        process = subprocess.Popen(
            order["spawn"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **order.get("env", {})},
        )
    return {"pid": process.pid}, process


def main() -> None:
    children = []
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if "run" in order:
                answer = run(order)
            else:
                answer, process = spawn(order)
                children.append(process)
        except (OSError, subprocess.TimeoutExpired) as error:
            answer = {"rc": 127, "out": base64.b64encode(str(error).encode()).decode()}
        print(json.dumps(answer), flush=True)
    for process in reversed(children):
        process.terminate()
    for process in children:
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()


main()
