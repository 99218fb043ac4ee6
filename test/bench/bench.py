"""make bench: measures what the project promises, each figure beside a named baseline of the same run.

Prints one table and writes bench/results/*.json. `bench.py --only throughput --events 20000` measures one part, smaller.
"""
import argparse
import json
import os
import pathlib
import sys
import time

import cold_start
import latency
import machine
import memory
import order_latency
import quiet
import signals
import throughput
from bed import Bed
from figure import print_table

RESULTS = pathlib.Path(__file__).resolve().parents[2] / "bench" / "results"


def parts(arguments):
    return {
        "throughput": lambda bed: throughput.measure(bed, arguments.events),
        "latency": lambda bed: latency.measure(bed, arguments.frames),
        "order_latency": lambda bed: order_latency.measure(bed, arguments.openings),
        "signals": lambda bed: signals.measure(bed, arguments.signals),
        "cold_start": cold_start.measure,
        "memory": lambda bed: memory.measure(bed, arguments.memory_events),
        "quiet": lambda bed: quiet.measure(bed, arguments.idle_seconds, arguments.walk_seconds),
    }


def arguments_of_user():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append",
                        choices=["throughput", "latency", "order_latency", "signals", "cold_start", "memory", "quiet"])
    parser.add_argument("--events", type=int, default=200_000, help="order frames of the throughput flood")
    parser.add_argument("--frames", type=int, default=1_000, help="order frames of the latency rows")
    parser.add_argument("--openings", type=int, default=200, help="positions opened and closed for the order latency rows, per venue")
    parser.add_argument("--signals", type=int, default=100, help="signals taken in one at a time, per venue")
    parser.add_argument("--memory-events", type=int, default=1_000_000)
    parser.add_argument("--idle-seconds", type=float, default=20)
    parser.add_argument("--walk-seconds", type=float, default=60)
    parser.add_argument("--patience", type=float, default=20, help="seconds to wait before a part until others leave the cores alone")
    return parser.parse_args()


def run(arguments):
    figures = []
    bed = Bed()
    try:
        fsync = machine.fsync_us(bed.cluster.home)
        others = machine.Others([os.getpid(), bed.postmaster()])
        for name, measure in parts(arguments).items():
            if arguments.only and name not in arguments.only:
                continue
            others.wait_for_quiet(arguments.patience)
            others.look()
            began = time.monotonic()
            measured = measure(bed)
            taken = others.look()
            load = os.getloadavg()[0]
            print(f"{name}: {time.monotonic() - began:.0f} s, others used {taken:.1f} cores meanwhile, load average {load:.1f}", flush=True)
            for figure in measured:
                figure.detail.update(part=name, cores_used_by_others=round(taken, 2), load_average=load)
            figures += measured
    finally:
        bed.close()
    return figures, fsync


def main():
    arguments = arguments_of_user()
    figures, fsync = run(arguments)
    print()
    print_table(figures)
    print(f"\none write of 8 kB + fdatasync on the disk of the data directory: {fsync:.0f} us; {os.cpu_count()} cores")
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / time.strftime("%Y%m%dT%H%M%S.json")
    file.write_text(json.dumps({"fsync_us": fsync, "cores": os.cpu_count(), "arguments": vars(arguments),
                                "figures": [figure.as_json() for figure in figures]}, indent=1) + "\n", encoding="utf-8")
    print(f"written: {os.path.relpath(file)}")
    return 1 if any(figure.kept is False for figure in figures) else 0


sys.exit(main())
