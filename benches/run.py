"""The table of numbers: starts brokers, measures them with `precursor bench`, writes the record.

Every throughput and latency stands beside its ceiling from the same run: a null target that only
frames and answers, or a bare busy-polling TCP echo. A figure without its ceiling says more about the
machine than about the broker.
"""

import argparse
import concurrent.futures
import datetime
import itertools
import json
import mmap
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

READY = "precursor: ready, listening on "


def main():
    options = parse_arguments()
    results = {}
    try:
        with_idle_broker(options, results)
        with_adaptive_broker(options, results)
        with_much_memory(options, results)
        with_busy_broker(options, results)
    finally:
        shutil.rmtree(options.work, ignore_errors=True)
    record = {"date": options.date, "machine": machine(), "options": shown(options)}
    record["commit"] = commit()
    record["results"] = results
    rows = table(results)
    record["table"] = [dict(zip(("what", "measured", "must_reach", "reached"), row)) for row in rows]
    name = f"{options.date}-{record['machine']['name']}"
    folder = pathlib.Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    text = readable(record, rows)
    (folder / f"{name}.md").write_text(text)
    print(text)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="benches/run.sh")
    parser.add_argument("--bin", default="target/release", help="where the programs are")
    parser.add_argument("--out", default="benches/baseline", help="where the record goes")
    parser.add_argument("--seconds", type=float, default=4, help="length of each measurement")
    parser.add_argument("--repeat", type=int, default=3, help="the median of so many counts")
    parser.add_argument("--broker-cpu", type=int, default=0)
    parser.add_argument("--client-cpu", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], help="further broker options")
    options = parser.parse_args()
    options.date = datetime.date.today().isoformat()
    options.work = tempfile.mkdtemp(prefix="precursor-bench-", dir=os.environ.get("WORK"))
    return options


def shown(options):
    return {key: getattr(options, key) for key in ("seconds", "repeat", "broker_cpu", "client_cpu", "set")}


class Broker:
    """One `precursor serve` with one shard on the broker's processor."""

    def __init__(self, options, idle, *pairs):
        self.options = options
        self.folder = tempfile.mkdtemp(dir=options.work)
        command = [
            os.path.join(options.bin, "precursor"), "serve", "--listen", "127.0.0.1:0",
            "--data-dir", os.path.join(self.folder, "data"),
            "--set", "dataplane.shards=1", "--set", f"dataplane.cpus={options.broker_cpu}",
            "--set", f"dataplane.idle={idle}",
        ]
        for pair in (*options.set, *pairs):
            command += ["--set", pair]
        self.log = open(os.path.join(self.folder, "log"), "w+")
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        self.ready_seconds = time.monotonic() - self.started
        if not line.startswith(READY):
            self.process.wait()
            self.log.seek(0)
            sys.exit(f"benches/run.sh: the broker did not start:\n{self.log.read()}")
        self.address = line[len(READY):].strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def children(self):
        """Name → pid of the processes that the supervisor started."""
        found = {}
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                status = (path / "status").read_text()
            except OSError:
                continue
            if field(status, "PPid") == self.process.pid:
                found[status.split("\n", 1)[0].split()[1]] = int(path.name)
        return found

    def precursor(self, *arguments, **more):
        command = [os.path.join(self.options.bin, "precursor"), *map(str, arguments)]
        command += ["--bootstrap", self.address, "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, **more)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def metric(self, name):
        """The sum of a counter over its series, as the broker's metrics tell it."""
        self.log.seek(0)
        address = re.search(r"metrics=(\S+)", self.log.read()).group(1)
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))

    def bench(self, *arguments):
        """The run of median rate (or p50) among several, with its ceiling."""
        return median(self.once(*arguments) for _ in range(self.options.repeat))

    def once(self, *arguments, seconds=None):
        options = self.options
        return self.precursor(
            "bench", *arguments, "--seconds", seconds or options.seconds, "--cpu", options.client_cpu,
            "--with-ceiling", "--server-cpu", options.broker_cpu)


def median(runs):
    runs = sorted(runs, key=lambda run: run["records_per_second"])
    return runs[len(runs) // 2]


def field(status, name):
    found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    return int(found.group(1)) if found else 0


def cpu_seconds(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def with_idle_broker(options, results):
    """Memory and processor time of a broker that nobody uses."""
    with Broker(options, "adaptive") as broker:
        time.sleep(2)
        children = broker.children()
        before = {name: cpu_seconds(pid) for name, pid in children.items()}
        time.sleep(5)
        idle = {}
        for name, pid in children.items():
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            idle[name] = {
                "resident_bytes": field(status, "VmRSS") << 10,
                "private_bytes": field(status, "RssAnon") << 10,
                "program_file_bytes": field(status, "RssFile") << 10,
                "region_bytes": field(status, "RssShmem") << 10,
                "share_of_a_core": round((cpu_seconds(pid) - before[name]) / 5, 5),
            }
        results["idle"] = idle


def with_adaptive_broker(options, results):
    with Broker(options, "adaptive") as broker:
        broker.precursor("produce", "first", "--acks", "1", input="hello\n")
        first = time.monotonic() - broker.started
        results["start"] = {
            "ready_seconds": round(broker.ready_seconds, 4),
            "first_produce_seconds": round(first, 4),
        }
        results["produce"] = broker.bench("produce")
        results["produces_delayed"] = broker.metric("precursor_produces_delayed_total")
        results["disk"] = disk_ceiling(options)
        results["fetch"] = broker.bench("fetch")


# What a run may write before its memory is full: 20 M records a second, 110 bytes each, for so long.
IN_MEMORY_SECONDS = 2
IN_MEMORY_GIB = 8


def with_much_memory(options, results):
    """Produce where the tail's memory is there and holds all of a run, which the disk follows."""
    if os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") < 2 * IN_MEMORY_GIB << 30:
        return
    size = f"{IN_MEMORY_GIB}GiB"
    memory = (f"memory.region.bytes={size}", f"memory.initial.bytes={size}", "memory.prewarm=true")
    runs = []
    for _ in range(options.repeat):
        with Broker(options, "adaptive", *memory) as broker:
            runs.append(broker.once("produce", seconds=min(options.seconds, IN_MEMORY_SECONDS)))
            runs[-1]["delayed"] = broker.metric("precursor_produces_delayed_total")
    results["produce_in_memory"] = median(runs)


def disk_ceiling(options):
    """What the disk takes, in MB/s: direct writes of 2 MiB, eight at a time, at a file's growing end
    and then over what was written. A sustained produce rate cannot pass the first."""
    path = os.path.join(options.work, "disk")
    flags = os.O_CREAT | os.O_WRONLY | getattr(os, "O_DIRECT", 0)
    try:
        file = os.open(path, flags)
    except OSError:
        return None  # A file system without direct writes: nothing to compare with.
    block = mmap.mmap(-1, 2 << 20)
    block.write(os.urandom(len(block)))
    found = {}
    try:
        blocks = 0
        for what in ("extending", "overwriting"):
            counter = itertools.count()
            most = blocks or sys.maxsize
            started = time.monotonic()

            def write(_):
                while time.monotonic() < started + options.seconds:
                    place = next(counter)
                    if place >= most:
                        return
                    os.pwrite(file, block, place * len(block))

            with concurrent.futures.ThreadPoolExecutor(8) as threads:
                list(threads.map(write, range(8)))
            blocks = min(next(counter), most)
            seconds = time.monotonic() - started
            found[what] = round(blocks * len(block) / seconds / 1e6)
    finally:
        os.close(file)
        os.unlink(path)
    return found


def with_busy_broker(options, results):
    with Broker(options, "busy") as broker:
        results["latency"] = broker.bench("latency", "--spin", "--pause-broker")
        results["end_to_end"] = broker.bench("end-to-end", "--spin", "--pause-broker")


def table(results):
    """Rows of what, measured, must reach, whether it did."""
    produce, fetch = results["produce"], results["fetch"]
    latency, end_to_end = results["latency"], results["end_to_end"]
    rows = []

    def row(what, measured, must, reached):
        rows.append((what, measured, must, bool(reached)))

    what = "produce, 100 B, 1,000 a batch, acks=1, 1 connection, 4 in flight, 1 shard"
    held = results.get("produce_in_memory")
    if held:
        rate, share = held["records_per_second"], held["relative_to_ceiling"]
        null = held["ceiling"]["records_per_second"]
        row(f"{what}, {IN_MEMORY_SECONDS} s into {IN_MEMORY_GIB} GiB of memory that was brought in",
            f"{rate / 1e6:.2f} M records/s; {held['delayed']:.0f} produces waited for the disk",
            "≥ 8.5 M records/s", rate >= 8.5e6)
        row("the same against the null target", f"{share:.0%} of {null / 1e6:.1f} M", "≥ 50 %", share >= 0.5)
        row("broker CPU per million of them", *processor(held, 0.06))
    rate = produce["records_per_second"]
    row(f"{what}, until memory is full and on, with the settings as they are",
        f"{rate / 1e6:.2f} M records/s", "≥ 8.5 M records/s", rate >= 8.5e6)
    share = produce["relative_to_ceiling"]
    null = produce["ceiling"]["records_per_second"]
    row("the same against the null target", f"{share:.0%} of {null / 1e6:.1f} M", "≥ 50 %", share >= 0.5)
    disk = results["disk"]
    if disk:
        row("the same in bytes against what the disk takes",
            f"{produce['megabytes_per_second']:.0f} of {disk['extending']} MB/s extending a file, "
            f"{disk['overwriting']} overwriting; {results['produces_delayed']:.0f} produces waited for it",
            "(a ceiling)", True)
    rate, null = fetch["records_per_second"], fetch["ceiling"]["records_per_second"]
    row("fetch of the same, hot", f"{rate / 1e6:.2f} M records/s (null target {null / 1e6:.1f} M)",
        "≥ 25 M records/s", rate >= 25e6)
    for what, of, most in (("produce", produce, 0.06), ("fetch", fetch, 0.035)):
        row(f"broker CPU per million records, {what}", *processor(of, most))
    for what, of, most in (
        ("one 100-byte record, acks=1, 1 in flight, busy: p50", latency, 1.5),
        ("append to the answer of a parked fetch, busy: p50", end_to_end, 2.5),
    ):
        p50, echo = of["latency_us"]["p50"], of["ceiling"]["latency_us"]["p50"]
        measured = f"{p50:.1f} µs = {p50 / echo:.2f} × echo ({echo:.1f} µs)"
        if "without_rest" in of["ceiling"]:
            # Before each record the fetch is left alone until it is parked; the echo rests as long.
            without = of["ceiling"]["without_rest"]["latency_us"]["p50"]
            measured += f" with the same rest before it; {p50 / without:.2f} × one without ({without:.1f} µs)"
        row(what, measured, f"≤ {most} × echo", p50 <= most * echo)
    idle = results["idle"]
    data = next((of for name, of in idle.items() if name.startswith("precursor-d")), {})
    own = data.get("resident_bytes", 0) - data.get("region_bytes", 0)
    row("idle: data plane besides the region", f"{own / 1e6:.1f} MB", "≤ 4 MB", 0 < own <= 4e6)
    both = sum(of["resident_bytes"] - of["region_bytes"] for of in idle.values())
    row("idle: both processes", f"{both / 1e6:.1f} MB", "≤ 20 MB", 0 < both <= 20e6)
    busy = sum(of["share_of_a_core"] for of in idle.values())
    row("idle: processor, adaptive", f"{busy:.2%} of a core", "< 1 %", busy < 0.01)
    first = results["start"]["first_produce_seconds"]
    row("start to first answered produce", f"{first:.2f} s", "≤ 1 s", first <= 1)
    return rows


def processor(run, most):
    """A run's seconds of processor per million records, what they must be, and whether they are."""
    cpu = run["cpu_seconds_per_million_records"]
    null = run["ceiling"]["cpu_seconds_per_million_records"]
    if cpu is None:
        return "unknown", f"≤ {most} s", False
    return f"{cpu:.4f} s (null target {null:.4f} s)", f"≤ {most} s", cpu <= most


def readable(record, rows):
    machine_, lines = record["machine"], []
    lines.append(f"# {record['date']}, {machine_['processor']}")
    lines.append("")
    lines.append(f"{machine_['cores']} cores, {machine_['memory_gib']} GiB, Linux {machine_['kernel']}, "
                 f"load average before: {machine_['load']}, commit {record['commit']}. "
                 f"Medians of {record['options']['repeat']} runs of {record['options']['seconds']:g} s; "
                 "the ceiling ran beside each.")
    lines += ["", "| what | measured | must reach | |", "|---|---|---|---|"]
    lines += [f"| {what} | {value} | {must} | {'yes' if ok else 'no'} |" for what, value, must, ok in rows]
    return "\n".join(lines) + "\n"


LOAD_AT_START = os.getloadavg()


def machine():
    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", cpu)
    model = model.group(1) if model else platform.machine()
    cores = os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    slug = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")
    return {
        "name": f"{slug}-{cores}-cores",
        "processor": model,
        "cores": cores,
        "memory_gib": round(memory / 2**30),
        "kernel": platform.release(),
        "load": f"{LOAD_AT_START[0]:.2f}",
    }


def commit():
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
