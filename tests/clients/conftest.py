"""Fixtures: the broker under test and the clients that talk to it.

BROKER_BOOTSTRAP=HOST:PORT points the tests at a running broker instead (any broker that
speaks the Kafka protocol); otherwise one is started from BROKER_BIN_DIR (default
target/release) on a free port, with its data in a temporary directory.
"""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from drivers import ROOT, Confluent, Java, Kcat

numbers = itertools.count(1)


class Broker:
    """A `precursor serve` of our own, and where it listens."""

    def __init__(self, directory: Path):
        binaries = Path(os.environ.get("BROKER_BIN_DIR", ROOT / "target/release"))
        self.program = binaries / "precursor"
        assert self.program.exists(), f"{self.program} is not built: cargo build --release"
        self.log = directory / "serve.log"
        command = [self.program, "serve", "--listen", "127.0.0.1:0", "--data-dir", directory / "data"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        self.bootstrap = self._ready()

    def _ready(self):
        for raw in self.process.stdout:
            line = raw.decode().strip()
            if line.startswith("precursor: ready, listening on "):
                return line.rsplit(" ", 1)[1]
        self.process.wait(10)
        pytest.exit(f"the broker did not start: {self.log.read_text()[-2000:]}", returncode=1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert code == 0, f"precursor serve ended with {code}: {self.log.read_text()[-2000:]}"


@pytest.fixture(scope="session")
def bootstrap():
    outside = os.environ.get("BROKER_BOOTSTRAP")
    if outside:
        yield outside
        return
    directory = Path(tempfile.mkdtemp(prefix="precursor-clients-"))
    broker = Broker(directory)
    try:
        yield broker.bootstrap
    finally:
        try:
            broker.stop()
        finally:
            shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def clients(bootstrap):
    java = Java(bootstrap)
    yield {"kcat": Kcat(bootstrap), "confluent": Confluent(bootstrap), "java": java}
    java.close()


@pytest.fixture
def topic_name():
    """A name that no other test and no earlier run on the same broker used."""
    return f"clients-{os.getpid()}-{next(numbers)}"


@pytest.fixture
def topic(clients, topic_name):
    clients["confluent"].create(topic_name)
    return topic_name
