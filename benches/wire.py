"""Bulk produce and fetch through a veth pair: a broker past the kernel (AF_XDP) beside one on kernel
sockets, each with one shard on processor 0; the client, on the kernel's TCP, has processor 1.

    python3 benches/wire.py [--bin target/release] [--rounds 5] [--seconds 3]

As root, on a quiet machine; needs ip and ethtool. The client's offloads are off, so that it sends
frames. Kernel sockets are measured with the server's offloads, where a veth pair carries segments of
64 KiB as cheaply as frames, and without, frame for frame. Rounds take turns; medians are printed.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

NEAR, FAR = (f"pcbench-{os.getpid()}-{end}" for end in ("near", "far"))
PAST_THE_KERNEL = "AF_XDP"
CONTESTANTS = ("kernel sockets, server's offloads", "kernel sockets, frames", PAST_THE_KERNEL)


def main():
    parser = argparse.ArgumentParser(prog="benches/wire.py")
    parser.add_argument("--bin", default="target/release", help="where the programs are")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="length of each measurement")
    options = parser.parse_args()
    figures = {name: {"produce": [], "fetch": []} for name in CONTESTANTS}
    for _ in range(options.rounds):
        for name in CONTESTANTS:
            for what, rate in measure(options, name).items():
                figures[name][what].append(rate / 1e6)
    print(f"{'million records/s, median (least to most)':<44} {'produce':>22} {'fetch':>22}")
    for name, of in figures.items():
        cells = (f"{statistics.median(of[w]):.2f} ({min(of[w]):.2f} to {max(of[w]):.2f})" for w in of)
        print(f"{name:<44} " + " ".join(f"{cell:>22}" for cell in cells))


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"benches/wire.py: `{' '.join(words)}` failed: {done.stderr.strip()}")
    return done.stdout


def offload_nothing(namespace, interface):
    words = ("-K", interface, "tx", "off", "tso", "off", "gso", "off")
    run("ip", "netns", "exec", namespace, "ethtool", *words)


def measure(options, name):
    """Records per second of produce and fetch."""
    folder = tempfile.mkdtemp(prefix="precursor-wire-")
    try:
        for namespace in (NEAR, FAR):
            run("ip", "netns", "add", namespace)
        run("ip", "link", "add", "near", "netns", NEAR, "type", "veth", "peer", "name", "far", "netns", FAR)
        for namespace, interface, address in ((NEAR, "near", "10.0.0.3/24"), (FAR, "far", "10.0.0.1/24")):
            run("ip", "-n", namespace, "address", "add", address, "dev", interface)
            for device in ("lo", interface):
                run("ip", "-n", namespace, "link", "set", device, "up")
        offload_nothing(FAR, "far")
        if name == "kernel sockets, frames":
            offload_nothing(NEAR, "near")
        return with_broker(options, name, folder)
    finally:
        for namespace in (NEAR, FAR):
            subprocess.run(["ip", "netns", "delete", namespace], stderr=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)


def with_broker(options, name, folder):
    settings = ["admin.listen=10.0.0.3:0", "metrics.listen=10.0.0.3:0", "dataplane.shards=1",
                "dataplane.cpus=0", "dataplane.idle=busy"]
    host = "10.0.0.3"
    if name == PAST_THE_KERNEL:
        host = "10.0.0.2"
        settings += ["network.driver=afxdp", "network.interface=near", "network.address=10.0.0.2/24"]
    else:
        settings.append("network.driver=epoll")
    program = os.path.join(options.bin, "precursor")
    command = ["ip", "netns", "exec", NEAR, program, "serve", "--listen", f"{host}:9092",
               "--data-dir", os.path.join(folder, "data")]
    command += [word for setting in settings for word in ("--set", setting)]
    with open(os.path.join(folder, "log"), "w+") as log:
        broker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            if not broker.stdout.readline():
                log.seek(0)
                sys.exit(f"benches/wire.py: the broker did not start:\n{log.read()}")
            return {what: bench(options, program, host, what) for what in ("produce", "fetch")}
        finally:
            broker.send_signal(signal.SIGTERM)
            broker.wait(60)


def bench(options, program, host, what):
    output = run("ip", "netns", "exec", FAR, program, "bench", what, "--seconds", str(options.seconds),
                 "--cpu", "1", "--bootstrap", f"{host}:9092", "--output", "json")
    return json.loads(output.splitlines()[-1])["records_per_second"]


main()
