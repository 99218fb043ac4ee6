"""Runs every stage of `make check`, shows what failed, and ends with one line: N passed, N failed."""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
os.chdir(ROOT)
PYTHON = "/usr/bin/python3"
STANDARD_SEEDS = 4000
os.environ["PYTHONPATH"] = str(ROOT / "test")
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def run(command, timeout=1800, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout, **options)
    return done.returncode, done.stdout


def lint(_):
    """Every tools/check_* is one test."""
    passed = failed = 0
    for tool in sorted(ROOT.glob("tools/check_*")):
        if tool.name == "check_headers.sh":
            continue
        code, text = run([PYTHON, str(tool)] if tool.suffix == ".py" else ["sh", str(tool)])
        passed, failed = (passed + 1, failed) if code == 0 else (passed, failed + 1)
        if code != 0:
            print(f"{tool.name}:\n{text}")
    return passed, failed


def unit_binary(binary):
    """(passed, failed, what to show) of one GoogleTest program."""
    report = binary.with_suffix(".xml")
    report.unlink(missing_ok=True)
    code, text = run([str(binary), f"--gtest_output=xml:{report}", "--gtest_brief=1"])
    if not report.exists():
        return 0, 1, f"{binary.name} died:\n{text[-4000:]}"
    suites = ElementTree.parse(report).getroot()
    bad = int(suites.get("failures")) + int(suites.get("errors"))
    passed = int(suites.get("tests")) - int(suites.get("disabled")) - bad
    return passed, bad if code == 0 else max(bad, 1), f"{binary.name}:\n{text[-8000:]}" if code != 0 else ""


def unit(_):
    binaries = [path for path in sorted((ROOT / "build/unit").iterdir()) if not path.suffix and os.access(path, os.X_OK) and path.is_file()]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(unit_binary, binaries))
    print("".join(text for _, _, text in results), end="")
    return sum(passed for passed, _, _ in results), sum(failed for _, failed, _ in results)


def sim(arguments):
    """Every seed is one test; so are the regression seeds and the coverage of the state tables."""
    # Fewer runs than the standard set need not take every move.
    coverage = ["--coverage"] if arguments.seeds >= STANDARD_SEEDS else []
    code, text = run(["build/tradesync_sim", "--seeds", str(arguments.seeds), "--file", "test/sim/seeds.txt", *coverage], timeout=36000)
    found = re.search(r"(\d+) seeds, (\d+) failed", text)
    if code != 0 or not found:
        print(text[-8000:])
    if not found:
        return 0, 1
    failed = max(int(found[2]), 1 if code != 0 else 0)
    return int(found[1]) - int(found[2]), failed


def count_tap(text):
    """TAP of several tests; a plan that was not kept counts as a failure."""
    passed = len(re.findall(r"^ok \d+", text, re.M))
    failed = len(re.findall(r"^not ok \d+", text, re.M))
    planned = sum(int(number) for number in re.findall(r"^1\.\.(\d+)", text, re.M))
    return passed, max(failed, planned - passed)


def pgtap(_):
    from support.cluster import Cluster, PG_BIN
    cluster = Cluster(databases="pgtap").start()
    cluster.psql("create database pgtap")
    cluster.psql("create extension pgtap; create extension pg_tradesync", "pgtap")
    passed = failed = 0
    for file in sorted((ROOT / "test/pgtap").glob("*.sql")):
        code, text = run([str(PG_BIN / "psql"), "-X", "-q", "-A", "-t", "-h", str(cluster.home), "-p", str(cluster.port), "-U", "postgres",
                          "-d", "pgtap", "-v", "ON_ERROR_STOP=1", "-f", str(file)])
        good, bad = count_tap(text)
        if code != 0 and bad == 0:
            bad = 1
        passed, failed = passed + good, failed + bad
        if bad:
            lines = [line for line in text.splitlines() if not line.startswith("ok ")]
            print(f"{file.name}:\n" + "\n".join(lines[-60:]))
    cluster.remove()
    return passed, failed


NOTHING_CHOSEN = 5  # pytest: the marks have left out every test


def pytest_run(name, tests, arguments, marks=()):
    """(passed, failed, what to show) of one pytest process."""
    report = ROOT / "build" / f"{name}.xml"
    report.unlink(missing_ok=True)
    chosen = " and ".join([*marks, *([] if arguments.long else ["not long"])])
    code, text = run([PYTHON, "-m", "pytest", "-q", "-x" if arguments.fail_fast else "-q", "-p", "no:cacheprovider", f"--junitxml={report}",
                      "--tb=short", "-m", chosen, *map(str, tests)], timeout=3600)
    if code == NOTHING_CHOSEN and marks:
        return 0, 0, ""
    if not report.exists():
        return 0, 1, text[-8000:]
    suite = ElementTree.parse(report).getroot().find("testsuite")
    bad = int(suite.get("failures")) + int(suite.get("errors"))
    passed = int(suite.get("tests")) - bad - int(suite.get("skipped"))
    return passed, bad if code == 0 else max(bad, 1), text[-20000:] if code != 0 else ""


def wall(arguments):
    passed, failed, text = pytest_run("wall", ["test/wall"], arguments)
    print(text, end="")
    return passed, failed


# End-to-end tests wait more than they compute, so two files run side by side, each with its own server and simulator.
E2E_AT_ONCE = 2
# The longest first, so that neither of the two is left with one of them at the end.
E2E_LONGEST = ("test_every_event_once", "test_kill_trading", "test_unknown_outcomes", "test_credentials", "test_open")


def e2e(arguments):
    """File by file, two at once; then, with nothing beside them, the tests that measure time (marked alone)."""
    files = sorted((ROOT / "test/e2e").glob("test_*.py"), key=lambda file: (file.stem not in E2E_LONGEST, file.name))
    results = []

    def run_file(file):
        if arguments.fail_fast and any(failed for _, failed, _ in results):
            return
        results.append(pytest_run(f"e2e-{file.stem}", [file], arguments, ["not alone"]))
        print(results[-1][2], end="", flush=True)
    with ThreadPoolExecutor(E2E_AT_ONCE) as pool:
        list(pool.map(run_file, files))
    results.append(pytest_run("e2e-alone", ["test/e2e"], arguments, ["alone"]))
    print(results[-1][2], end="")
    return sum(passed for passed, _, _ in results), sum(failed for _, failed, _ in results)


def sdk(_):
    from support.cluster import Simulator
    simulator = Simulator(tls=True)
    try:
        environment = dict(os.environ, NODE_EXTRA_CA_CERTS=str(simulator.ca_file))
        code, text = run(["sh", "test/sdk/run.sh", str(simulator.home / "ports")], env=environment)
    finally:
        simulator.remove()
    found = re.findall(r"(\d+) passed, (\d+) failed", text)
    if code != 0 or not found:
        print(text[-8000:])
        return (int(found[-1][0]), max(int(found[-1][1]), 1)) if found else (0, 1)
    return int(found[-1][0]), int(found[-1][1])


STAGES = {"lint": lint, "unit": unit, "sim": sim, "pgtap": pgtap, "wall": wall, "e2e": e2e, "sdk": sdk}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=STAGES)
    parser.add_argument("--long", action="store_true", help="the long variants, too")
    parser.add_argument("--seeds", type=int, default=STANDARD_SEEDS, help="how many runs of the simulation")
    parser.add_argument("--fail-fast", action="store_true")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "test"))
    stages = [arguments.only] if arguments.only else [name for name in STAGES if name != "sdk"]
    if any(stage in ("pgtap", "wall", "e2e") for stage in stages):
        code, text = run(["sh", "tools/install.sh"])
        if code != 0:
            print(text)
            print("0 passed, 1 failed")
            return 1
    total_passed = total_failed = 0
    for stage in stages:
        began = time.monotonic()
        passed, failed = STAGES[stage](arguments)
        print(f"{stage:6} {passed:5} passed {failed:3} failed  {time.monotonic() - began:6.1f} s", flush=True)
        total_passed, total_failed = total_passed + passed, total_failed + failed
    print(f"{total_passed} passed, {total_failed} failed")
    return 1 if total_failed or not total_passed else 0


sys.exit(main())
