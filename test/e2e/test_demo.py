"""What the README promises of `make demo`: it ends well, and within two minutes."""
import os
import subprocess
import sys
import time

from support.cluster import ROOT


def test_the_demo_completes_within_two_minutes():
    began = time.monotonic()
    environment = dict(os.environ, PYTHONPATH=f"{ROOT}/test:{ROOT}/test/e2e")
    environment.pop("KEEP", None)
    done = subprocess.run([sys.executable, ROOT / "test/demo/demo.py"], env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert done.stdout.rstrip().splitlines()[-1] == "TEST COMPLETED - all checks passed"
    assert time.monotonic() - began < 120
