"""Brokers that the tests start: Precursor's, or Apache Kafka's to see whether the tests are right."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from wires import Wire

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 90


class Precursor:
    """A `precursor serve` of our own, and where it listens: on this host by the kernel's sockets,
    or with BROKER_DRIVER at the other end of a wire, by that driver."""

    def __init__(self, *options):
        self.directory = Path(tempfile.mkdtemp(prefix="precursor-clients-"))
        binaries = Path(os.environ.get("BROKER_BIN_DIR", ROOT / "target/release"))
        self.program = binaries / "precursor"
        assert self.program.exists(), f"{self.program} is not built: cargo build --release --bins"
        self.log = self.directory / "serve.log"
        self.bootstrap = "127.0.0.1:0"
        driver = os.environ.get("BROKER_DRIVER")
        self.wire = Wire(driver) if driver else None
        if self.wire:
            self.bootstrap = f"{self.wire.broker}:0"
            options = (*self.wire.options, *options)
        self.options = [word for option in options for word in ("--set", option)]
        self.start()

    def start(self):
        command = [self.program, "serve", "--listen", self.bootstrap,
                   "--data-dir", self.directory / "data", *self.options]
        if self.wire:
            command = [*self.wire.enter, *command]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        for raw in self.process.stdout:
            line = raw.decode().strip()
            if line.startswith("precursor: ready, listening on "):
                self.bootstrap = line.rsplit(" ", 1)[1]
                return
        raise RuntimeError(f"the broker did not start: {self.tail()}")

    def tail(self):
        return self.log.read_text()[-2000:]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert code == 0, f"precursor serve ended with {code}: {self.tail()}"

    def remove(self, kill=False):
        try:
            if kill:
                # The supervisor's processes end with it, a moment later and still writing; the
                # region outlives them all.
                self.process.kill()
                self.process.wait()
                deadline = time.monotonic() + SECONDS_MAX
                while self._processes() and time.monotonic() < deadline:
                    time.sleep(0.02)
                for region in re.findall(r"region on .*: (/\S+)", self.log.read_text()):
                    shutil.rmtree(Path(region).parent, ignore_errors=True)
            else:
                self.stop()
        finally:
            if self.wire:
                self.wire.remove()
            shutil.rmtree(self.directory, ignore_errors=True)


    def _processes(self):
        """Which of this broker's are there: each has its data directory in its command line."""
        mention = str(self.directory).encode()
        return [path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline")
                if mention in read_or_nothing(path)]


def read_or_nothing(path):
    try:
        return path.read_bytes()
    except OSError:  # It has ended meanwhile.
        return b""


class Kafka:
    """Apache Kafka, started the way tests/peers/kafka/start does."""

    def __init__(self, *options):
        self.directory = Path(tempfile.mkdtemp(prefix="kafka-clients-"))
        self.options = options
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.start()

    def start(self):
        command = [ROOT / "tests/peers/kafka/start", self.directory, str(self.port), *self.options]
        with open(self.directory / "kafka.log", "ab") as log:
            self.process = subprocess.Popen(command, stderr=log)
        deadline = time.monotonic() + SECONDS_MAX
        while not listens(self.port):
            assert time.monotonic() < deadline and self.process.poll() is None, "Kafka did not start"
            time.sleep(0.1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(SECONDS_MAX)

    def remove(self, kill=False):
        if kill:
            self.process.kill()
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def start(*options):
    """A broker of the kind that the environment asks for; options are Kafka's, as key=value."""
    return (Kafka if os.environ.get("BROKER") == "kafka" else Precursor)(*options)


def free_port():
    """A port whose successor is free as well: Kafka's controller takes that one. Below those that
    the kernel gives to whoever asks for any: Kafka takes seconds until it has them."""
    while True:
        port = random.randrange(15_000, 32_000, 2)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
