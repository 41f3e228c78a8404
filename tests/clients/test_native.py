"""The native client for C and Python, over shared memory and TCP, beside a client of Kafka's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import brokers
from brokers import Precursor
from librdkafka import Confluent

FFI = brokers.ROOT / "ffi"
BINARIES = Path(os.environ.get("BROKER_BIN_DIR", brokers.ROOT / "target/release"))


@pytest.fixture(scope="module")
def broker():
    if os.environ.get("BROKER_BOOTSTRAP") or os.environ.get("BROKER"):
        pytest.skip("needs a broker whose data directory is here")
    broker = Precursor("dataplane.shards=2")
    yield broker
    broker.remove()


@pytest.fixture(scope="module")
def library():
    if not (BINARIES / "libprecursor.so").exists():
        pytest.fail("libprecursor.so is not there: cargo build --release -p precursor-ffi")
    return BINARIES / "libprecursor.so"


@pytest.fixture(scope="module")
def precursor(library):
    os.environ["PRECURSOR_LIBRARY"] = str(library)
    sys.path.insert(0, str(FFI / "python"))
    import precursor
    yield precursor
    sys.path.remove(str(FFI / "python"))


def place(broker, transport):
    return str(broker.directory / "data") if transport == "shm" else broker.bootstrap


@pytest.mark.parametrize("linked", ["shared", "static"])
@pytest.mark.parametrize("transport", ["shm", "tcp"])
def test_a_program_in_c(broker, library, tmp_path, transport, linked):
    program = tmp_path / "program"
    what = {
        "shared": ["-L", str(BINARIES), "-lprecursor", f"-Wl,-rpath,{BINARIES}"],
        "static": [str(BINARIES / "libprecursor.a"), "-lpthread", "-ldl", "-lm"],
    }[linked]
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-I", FFI / "client/include",
                    FFI / "client/tests/program.c", "-o", program, *what], check=True)
    done = subprocess.run([program, transport, place(broker, transport)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "0 key= value=hello",
        "1 key=h value=he",
        "2 key= value=",
        "end=3 next=3",
        "topic 'absent': UNKNOWN_TOPIC_OR_PARTITION",
    ]


def test_a_program_in_c_without_a_broker(library, precursor):
    with pytest.raises(precursor.Unreachable, match="/nonexistent/shm.sock"):
        precursor.Client.shm("/nonexistent")


@pytest.mark.parametrize("transport", ["shm", "tcp"])
def test_python(broker, precursor, topic_name, transport):
    connect = getattr(precursor.Client, transport)
    with connect(place(broker, transport)) as client:
        client.create_topic(topic_name, 3)
        for partition in range(3):
            assert client.produce(topic_name, b"one", key=b"k\0ey", partition=partition) == 0
            pairs = [(None, b"t\0wo"), (b"gone", None), (b"", b"")]
            assert client.produce_batch(topic_name, pairs, partition=partition) == 1
            assert client.offsets(topic_name, partition) == (0, 4)
            records = client.fetch(topic_name, 0, partition=partition)
            found = [(record.offset, record.key, record.value) for record in records]
            assert found == [(0, b"k\0ey", b"one"), (1, None, b"t\0wo"), (2, b"gone", None),
                             (3, b"", b"")]
            assert client.next_offset() == 4
        assert client.fetch(topic_name, 4, wait_ms=50) == []
        client.set_polling(True)
        assert client.produce(topic_name, b"polled") == 4
        with pytest.raises(precursor.Refused, match="OFFSET_OUT_OF_RANGE"):
            client.fetch(topic_name, 99)
        with pytest.raises(precursor.Refused, match="UNKNOWN_TOPIC_OR_PARTITION"):
            client.produce("absent", b"x")


def test_both_worlds_read_each_other(broker, precursor, topic_name):
    kafka = Confluent(broker.bootstrap)
    with precursor.Client.shm(broker.directory / "data") as client:
        client.create_topic(topic_name)
        for number in range(100):
            client.produce(topic_name, b"%d" % number, key=b"native")
        read = kafka.consume(topic_name, count=100)
        assert [record.value for _, _, record in read] == [b"%d" % number for number in range(100)]


def test_a_broker_that_is_started_anew(broker, precursor, topic_name):
    with precursor.Client.shm(broker.directory / "data") as client:
        client.create_topic(topic_name)
        assert client.produce(topic_name, b"before") == 0
        broker.stop()
        broker.start()
        assert client.produce(topic_name, b"after") == 1
        # What lies on disk and what does not may come apart.
        records = client.fetch(topic_name, 0)
        if len(records) == 1:
            records += client.fetch(topic_name, 1)
        assert [record.value for record in records] == [b"before", b"after"]
