#!/usr/bin/env python3
"""Memory that features and a study take, over numbers of subjects.

    python scripts/bench_memory.py --program bin/eegprune

The subjects have DEAP's shape (40 trials of 40 channels and 63 s at 128 Hz, 103 MB each) and
come from `data simulate`. For each number of subjects the features are made twice, as CCNN
takes them (differential entropy on the grid) and as TSCeption does (clips of 4 s of 32
channels), and a study of 2 folds and 1 epoch (train, prune 90 %, train from scratch) runs on
each, with both folds side by side. Nine tenths of the clips that a fold might train on choose
the epoch instead: all are read, and the study takes minutes.

Of memory two peaks are shown. Anonymous memory (RssAnon in /proc, read every 10 ms) can't be
taken back from a program but by swapping. Resident memory (the kernel's own peak, ru_maxrss)
holds the pages of mapped files too, libtorch's and the feature set's, which the kernel drops
and reads again as it likes. With --limit BYTES the study runs in a cgroup of that much memory,
page cache included; this needs a cgroup (version 1 or 2) that may be written, as root's may.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

NETWORKS = {"tsception": "clips of TSCeption", "ccnn": "features of CCNN"}


def status(pid):
    """The anonymous memory of a process in bytes; 0 where it has ended."""
    try:
        with open(f"/proc/{pid}/status") as f:
            for line in f:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) << 10
    except OSError:
        pass
    return 0


class Cgroup:
    """A cgroup of its own with that much memory."""

    def __init__(self, limit):
        v2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
        self.dir = os.path.join("/sys/fs/cgroup" if v2 else "/sys/fs/cgroup/memory", f"eegprune-bench-{os.getpid()}")
        try:
            os.mkdir(self.dir)
            self.write("memory.max" if v2 else "memory.limit_in_bytes", limit)
            if v2:
                self.write("memory.swap.max", 0)
        except OSError as e:
            sys.exit(f"bench_memory.py: --limit needs a cgroup that may be written: {e}")

    def write(self, name, value):
        with open(os.path.join(self.dir, name), "w") as f:
            f.write(str(value))

    def close(self):
        for _ in range(50):
            try:
                return os.rmdir(self.dir)
            except OSError:  # what ended in it has not quite left
                time.sleep(0.1)


def measured(command, env, limit=None):
    """Seconds by the clock and of the processor, and the peaks of anonymous and of resident memory, in
    bytes, of a command."""
    group = Cgroup(limit) if limit else None
    join = (lambda: group.write("cgroup.procs", os.getpid())) if group else None
    start, anonymous = time.perf_counter(), 0
    with tempfile.TemporaryFile() as said:
        p = subprocess.Popen(command, env=env, stdout=said, stderr=subprocess.STDOUT, preexec_fn=join)
        try:
            while True:
                ended, code, usage = os.wait4(p.pid, os.WNOHANG)
                if ended:
                    break
                anonymous = max(anonymous, status(p.pid))
                time.sleep(0.01)
        except BaseException:
            p.send_signal(signal.SIGTERM)
            raise
        finally:
            if group:
                group.close()
        p.returncode = os.waitstatus_to_exitcode(code)
        if p.returncode:
            said.seek(0)
            sys.exit(f"bench_memory.py: {' '.join(command)} ended with {p.returncode}: {said.read().decode(errors='replace')[-2000:]}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, anonymous, usage.ru_maxrss << 10


def forget(paths):
    """Has the kernel drop what it holds of files: only what is read in a cgroup counts there."""
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--subjects", default="8,16,32")
    p.add_argument("--models", default=",".join(NETWORKS))
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--limit", type=int, help="bytes that a study may take, page cache included")
    p.add_argument("--skip-run", action="store_true", help="features only")
    p.add_argument("--work", help="directory for what is made, 5 GB for 32 subjects; subjects there from before are used again")
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    if not os.path.exists("/proc/self/status"):
        sys.exit("bench_memory.py: anonymous memory is read from /proc, which only Linux has")
    program, numbers = os.path.abspath(a.program), [int(n) for n in a.subjects.split(",")]
    work = a.work or tempfile.mkdtemp()
    rows = []
    try:
        bench(program, a, work, numbers, rows)
    finally:
        if not a.work:
            shutil.rmtree(work)
    if a.json:
        print(json.dumps(rows, indent=1))


def told(m):
    seconds, cpu, anonymous, resident = m
    return f"{seconds:7.1f} {cpu:7.1f} {anonymous / 1e6:7.0f} {resident / 1e6:7.0f}"


def bench(program, a, work, numbers, rows):
    everyone = os.path.join(work, "subjects")
    if not os.path.exists(everyone):
        subprocess.run([program, "data", "simulate", "--quiet", "--format", "deap", "--subjects", str(max(numbers)), "--trials", "40", "--seconds", "60",
                        "--out", everyone], check=True, stdout=subprocess.DEVNULL)
    env = {**os.environ, "OMP_NUM_THREADS": "1"}

    def say(text):
        if not a.json:
            print(text, end="", flush=True)

    if not a.json:
        print(f"{'':18} {'':8} {'':6} {'made of recordings':31} study")
        print(f"{'':18} {'subjects':>8} {'set':>6} " + 2 * f"{'s':>7} {'CPU s':>7} {'anon.':>7} {'res.':>7}" + "  (MB: 10^6 bytes)")
    for model in a.models.split(","):
        for n in numbers:
            some = tempfile.mkdtemp(dir=work)
            try:
                row = {"model": model, "subjects": n}
                directory, cache, out = (os.path.join(some, d) for d in ("recordings", "cache", "out"))
                os.mkdir(directory)
                for i in range(n):
                    os.link(os.path.join(everyone, f"s{i + 1:02}.dat"), os.path.join(directory, f"s{i + 1:02}.dat"))
                row["features"] = measured([program, "data", "features", directory, "--quiet", "--model", model, "--cache", cache], env)
                row["set"] = sum(os.path.getsize(os.path.join(cache, f)) for f in os.listdir(cache) if f.endswith(".set"))
                say(f"{NETWORKS.get(model, model):18} {n:8} {row['set'] / 1e6:6.0f} {told(row['features'])}")
                if a.limit:
                    forget([os.path.join(d, f) for d in (directory, cache) for f in os.listdir(d)])
                if not a.skip_run:
                    row["study"] = measured(
                        [program, "run", "--quiet", "--data", directory, "--model", model, "--cache", cache, "--device", "cpu", "--folds", "2", "--epochs", "1",
                         "--val", "0.9", "--ratio", "0.9", "--recover", "scratch", "--jobs", str(a.jobs), "--out", out], env, a.limit)
                    say(told(row["study"]))
                say("\n")
                rows.append(row)
            finally:
                shutil.rmtree(some)


if __name__ == "__main__":
    main()
