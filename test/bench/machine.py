"""What the machine itself can do and is doing: disk flushes, CPU time and memory of one process, load of everybody else."""
import os
import pathlib
import statistics
import time

BLOCK = b"\0" * 8192


def fsync_us(folder, times=500):
    """Median microseconds of one 8 kB write + fdatasync in that folder: the floor under every durable commit."""
    file = pathlib.Path(folder) / "fsync_probe"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    took = []
    try:
        for _ in range(times):
            began = time.perf_counter()
            os.pwrite(handle, BLOCK, 0)
            os.fdatasync(handle)
            took.append((time.perf_counter() - began) * 1e6)
    finally:
        os.close(handle)
        file.unlink()
    return statistics.median(took)


def cpu_seconds(pid):
    """CPU time of a process, to the nanosecond where the kernel says."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def private_mb(pid):
    """RssAnon in MB: memory that belongs to this process alone, without code and shared buffers."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} shows no RssAnon")


def busy_seconds():
    """CPU seconds that all cores spent on anything but idling and waiting for disks, stolen time included."""
    user, nice, system, _, _, irq, softirq, steal = map(int, pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds(roots):
    """CPU seconds of these processes and everything they started, ended children included."""
    stats = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = stat.parent.name, stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue                                    # ended while we looked
        stats[int(pid)] = int(rest[1]), sum(map(int, rest[11:15]))
    ours = set(roots)
    while True:
        grown = ours | {pid for pid, (parent, _) in stats.items() if parent in ours}
        if grown == ours:
            return sum(stats[pid][1] for pid in ours if pid in stats) / os.sysconf("SC_CLK_TCK")
        ours = grown


class Others:
    """How many cores everybody but these processes used since the last look: what a figure has to be read with."""

    def __init__(self, roots):
        self.roots = roots
        self.look()

    def look(self):
        now, others = time.monotonic(), busy_seconds() - own_seconds(self.roots)
        cores = max(0.0, (others - self.others) / (now - self.at)) if hasattr(self, "at") else 0.0
        self.at, self.others = now, others
        return cores

    def wait_for_quiet(self, patience_s, limit=0.3):
        """Waits, patience_s at most, until others leave the cores alone for a second."""
        end = time.monotonic() + patience_s
        self.look()
        while time.monotonic() < end:
            time.sleep(1)
            if self.look() <= limit:
                return
