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


def busy_cores(seconds=1.0):
    """Cores in use over a short look. Asked while the bench rests: this is what others take from it."""
    began, before = time.monotonic(), busy_seconds()
    time.sleep(seconds)
    return (busy_seconds() - before) / (time.monotonic() - began)


def quiet_moment(patience_s, limit=0.3):
    """Waits, patience_s at most, until others leave the cores alone; returns how many cores they use."""
    end = time.monotonic() + patience_s
    busy = busy_cores()
    while busy > limit and time.monotonic() < end:
        busy = busy_cores()
    return busy
