"""Cold segments in containers: clients read the same records, whatever becomes of the broker."""

import hashlib
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from brokers import Precursor
from conftest import GROUP_OPTIONS
from drivers import CLIENTS, every_client
from librdkafka import Confluent
from records import Record

RECORDS = 12_000
FIRST_MS = 1_700_000_000_000
KINDS = ["zstd", "zstd-dict", "brotli", "lzma", "adaptive"]


@pytest.fixture(scope="module")
def cold():
    """A broker that compresses at once."""
    if os.environ.get("BROKER_BOOTSTRAP") or os.environ.get("BROKER"):
        pytest.skip("needs a broker whose files can be looked at")
    broker = Precursor(*GROUP_OPTIONS,
                       "precursor.cold.compression.backoff.ms=200",
                       "precursor.cold.compression.cpu.max.percent=100")
    yield broker
    broker.remove()


@pytest.fixture(scope="module")
def readers(cold):
    clients = every_client(cold.bootstrap)
    yield clients
    for driver in clients.values():
        driver.close()


def rows(topic):
    def value(n):
        return json.dumps({"id": n, "topic": topic, "user": f"user-{n * 7919 % 997}", "city": "Bern",
                           "items": [{"sku": n * 31 % 10007, "count": n % 9} for _ in range(6)],
                           "amount": n * 101 % 99_991 / 100, "paid": n % 3 == 0}).encode()
    return [Record(b"key-%d" % (n % 500), value(n), timestamp_ms=FIRST_MS + n)
            for n in range(RECORDS)]


def create(broker, topic, kind):
    Confluent(broker.bootstrap).create(topic, config={
        "segment.bytes": "1048576", "retention.ms": "-1",
        "precursor.cold.compression.type": kind, "precursor.cold.compression.min.age.ms": "0",
        "precursor.cold.compression.chunk.bytes": "16384"})


def files(broker, topic, pattern):
    return sorted((broker.directory / "data" / f"{topic}-0").glob(pattern))


def wait_until_cold(broker, topic, seconds_max=90):
    deadline = time.monotonic() + seconds_max
    while len(files(broker, topic, "*.log")) > 1:
        assert time.monotonic() < deadline, files(broker, topic, "*")
        time.sleep(0.2)
    assert files(broker, topic, "*.log.cold")


def kill(broker):
    """The data plane first, in the midst of what it does, then the others."""
    supervisor = broker.process.pid
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    broker.process.send_signal(signal.SIGSTOP)
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    broker.process.kill()
    broker.process.wait()


def end_of(client, topic):
    """The topic's end, once its log is open after a start of the broker."""
    consumer = client.consumer()
    deadline = time.monotonic() + 60
    try:
        while True:
            try:
                return consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20)[1]
            except KafkaException:
                assert time.monotonic() < deadline
                time.sleep(0.1)
    finally:
        consumer.close()


def digest(records):
    summed = hashlib.sha256()
    for offset, record in records:
        summed.update(b"%d %r %r\n" % (offset, record.key, record.value))
    return summed.hexdigest()


def read(driver, topic, start, count):
    return [(offset, record) for offset, _, record in driver.consume(topic, start, count)]


@pytest.mark.parametrize("kind", KINDS)
def test_clients_read_the_same_records(cold, readers, kind):
    topic = f"cold-{kind}"
    create(cold, topic, kind)
    sent = rows(topic)
    Confluent(cold.bootstrap).produce(topic, sent)
    expected = list(enumerate(sent))
    wait_until_cold(cold, topic)
    confluent = Confluent(cold.bootstrap)
    assert digest(read(confluent, topic, "beginning", RECORDS)) == digest(expected)
    if kind == "zstd-dict":
        for name in CLIENTS:
            for first in (0, RECORDS // 3):
                got = read(readers[name], topic, str(first), 300)
                assert digest(got) == digest(expected[first:first + 300]), name
    for offset in (1, 777, RECORDS // 2, RECORDS - 3):
        assert read(confluent, topic, str(offset), 1)[0][0] == offset
        found = read(confluent, topic, f"@{FIRST_MS + offset}", 1)[0]
        assert found[0] == offset
        assert found[1].value == sent[offset].value


def test_the_sizes_are_those_on_disk(cold):
    topic = "cold-sizes"
    create(cold, topic, "zstd")
    sent = rows(topic)
    Confluent(cold.bootstrap).produce(topic, sent)
    plain = sum(len(record.value) for record in sent)
    wait_until_cold(cold, topic)
    on_disk = sum(path.stat().st_size for path in files(cold, topic, "*.log*"))
    assert on_disk < plain / 2


def test_a_kill_while_segments_are_compressed_loses_nothing(cold):
    for number in range(4):
        topic = f"cold-killed-{number}"
        create(cold, topic, ["zstd-dict", "lzma"][number % 2])
        sent = rows(topic)
        Confluent(cold.bootstrap).produce(topic, sent)
        # In the midst of it: some are compressed, one is begun.
        deadline = time.monotonic() + 60
        while not files(cold, topic, "*.log.cold*") and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.1 * number)
        kill(cold)
        cold.start()
        confluent = Confluent(cold.bootstrap)
        assert end_of(confluent, topic) == RECORDS
        got = read(confluent, topic, "beginning", RECORDS)
        assert digest(got) == digest(list(enumerate(sent)))
        wait_until_cold(cold, topic)
        got = read(confluent, topic, "beginning", RECORDS)
        assert digest(got) == digest(list(enumerate(sent)))
        assert not files(cold, topic, "*.tmp")


def test_the_type_is_an_option_that_can_be_changed(cold):
    topic = "cold-later"
    create(cold, topic, "none")
    sent = rows(topic)
    Confluent(cold.bootstrap).produce(topic, sent)
    time.sleep(1)
    assert not files(cold, topic, "*.cold")
    admin = AdminClient({"bootstrap.servers": cold.bootstrap})
    change = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[
        ConfigEntry("precursor.cold.compression.type", "adaptive",
                    incremental_operation=AlterConfigOpType.SET)])
    for done in admin.incremental_alter_configs([change]).values():
        done.result()
    wait_until_cold(cold, topic)
    got = read(Confluent(cold.bootstrap), topic, "beginning", RECORDS)
    assert digest(got) == digest(list(enumerate(sent)))


def test_a_damaged_chunk_is_taken_out_and_the_rest_is_read(cold):
    topic = "cold-damaged"
    create(cold, topic, "zstd-dict")
    sent = rows(topic)
    confluent = Confluent(cold.bootstrap)
    for first in range(0, RECORDS, 200):
        confluent.produce(topic, sent[first:first + 200])
    wait_until_cold(cold, topic)
    cold.stop()
    container = files(cold, topic, "*.log.cold")[1]
    content = bytearray(container.read_bytes())
    content[len(content) // 2] ^= 0x10
    container.write_bytes(content)
    cold.start()
    confluent = Confluent(cold.bootstrap)
    assert end_of(confluent, topic) == RECORDS
    taken, offset = [], 0
    consumer = confluent.consumer()
    confluent.seek(consumer, topic, "beginning")
    while not taken or taken[-1][0] < RECORDS - 1:
        offset, _, record = confluent.take(consumer, 1)[0]
        taken.append((offset, record))
    consumer.close()
    assert RECORDS * 9 // 10 < len(taken) < RECORDS
    assert all(record.value == sent[offset].value for offset, record in taken)
    kept = {path.name for path in (cold.directory / "data/quarantine" / f"{topic}-0").iterdir()}
    assert container.name in kept, kept
    log = cold.log.read_text()
    assert re.search(r"ERROR.*a damaged batch was taken out of a segment", log)
