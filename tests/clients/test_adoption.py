"""`precursor storage adopt`: what a real Apache Kafka wrote, served by Precursor; and Kafka's own
dump tool on the files that Precursor has written."""

import hashlib
import json
import os
import random
import subprocess
import time

import confluent_kafka as ck
import pytest
from confluent_kafka import TopicPartition

import brokers
from brokers import Kafka, Precursor
from conftest import GROUP_OPTIONS
from drivers import java_tool
from librdkafka import Confluent
from records import Record

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
RECORDS = 3000
GROUP = "readers-of-kafka"


def program(*words, code=0):
    """`precursor` with these words; its standard output."""
    binaries = os.environ.get("BROKER_BIN_DIR", brokers.ROOT / "target/release")
    done = subprocess.run([os.path.join(binaries, "precursor"), *map(str, words)],
                          capture_output=True, text=True, timeout=90)
    assert done.returncode == code, f"{words}: {done.returncode} {done.stderr} {done.stdout}"
    return done.stdout + done.stderr


def digest(bootstrap, topic, partition=0):
    """Every record of a partition, offsets, times and headers too: how many, and their hash."""
    consumer = ck.Consumer({"bootstrap.servers": bootstrap, "group.id": "by-hand",
                            "enable.auto.commit": False, "auto.offset.reset": "error"})
    found, summed = 0, hashlib.sha256()
    try:
        place = TopicPartition(topic, partition)
        low, high = ends(consumer, place)
        consumer.assign([TopicPartition(topic, partition, low)])
        deadline, at = time.monotonic() + 60, low
        while at < high:
            assert time.monotonic() < deadline, f"{topic}: nothing comes behind {at} of {high}"
            for message in consumer.consume(500, 0.5):
                assert not message.error(), message.error()
                summed.update(repr((message.offset(), message.timestamp(), message.key(),
                                    message.value(), message.headers())).encode())
                found += 1
            at = consumer.position([place])[0].offset
            at = low if at < 0 else at
        return found, high, summed.hexdigest()
    finally:
        consumer.close()


def ends(consumer, place, seconds_max=20):
    """First and next offset; a broker that has just started may not have opened the log yet."""
    deadline = time.monotonic() + seconds_max
    while True:
        try:
            return consumer.get_watermark_offsets(place, timeout=20)
        except ck.KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def committed(bootstrap, topic):
    """What the group committed, as its next member would begin."""
    consumer = ck.Consumer({"bootstrap.servers": bootstrap, "group.id": GROUP,
                            "enable.auto.commit": False})
    try:
        return consumer.committed([TopicPartition(topic, 0)], timeout=30)[0].offset
    finally:
        consumer.close()


def records(seed, keys=None):
    chance = random.Random(seed)
    return [Record(b"key-%d" % (n % keys if keys else n),
                   chance.randbytes(100) + b"text that can be compressed " * chance.randint(1, 40),
                   headers=(("number", b"%d" % n),))
            for n in range(RECORDS)]


def tree(directory):
    """Every file: its size, time of change and content."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns,
                   hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(directory.rglob("*")) if path.is_file()}


def read_as_group(bootstrap, topic, count):
    """A member reads so many records and commits; the offset of the first."""
    consumer = ck.Consumer({"bootstrap.servers": bootstrap, "group.id": GROUP,
                            "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    try:
        taken, deadline = [], time.monotonic() + 60
        while len(taken) < count and time.monotonic() < deadline:
            taken += consumer.consume(count - len(taken), 0.5)
        assert len(taken) == count and not any(message.error() for message in taken)
        consumer.commit(asynchronous=False)
        return taken[0].offset()
    finally:
        consumer.close()


def wait_until_cleaned(directory, seconds_max=40):
    """Kafka says in its checkpoint how far a log is clean."""
    deadline = time.monotonic() + seconds_max
    while "compacted 0 " not in (directory / "cleaner-offset-checkpoint").read_text():
        assert time.monotonic() < deadline, "Kafka does not clean"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def written():
    """A Kafka that was written to, restarted and stopped: its log directory, and what it held."""
    if os.environ.get("BROKER_BOOTSTRAP") or os.environ.get("BROKER"):
        pytest.skip("needs a broker whose files can be looked at")
    kafka = Kafka("log.cleaner.backoff.ms=200", "log.cleaner.dedupe.buffer.size=4000000",
                  "metadata.log.max.record.bytes.between.snapshots=2000",
                  "offsets.topic.num.partitions=3", "log.initial.task.delay.ms=500")
    try:
        small = {"segment.bytes": "1048576"}
        client = Confluent(kafka.bootstrap)
        for number, codec in enumerate(CODECS):
            client.create(f"of-{codec}", config={**small, "min.insync.replicas": "1"})
            client.produce(f"of-{codec}", records(number), codec=codec)
        client.create("compacted", config={
            **small, "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01",
            "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "1000"})
        client.create("deleted", config=small)
        client.produce("deleted", [Record(b"k", b"v")])
        client.produce("compacted", records(7, keys=40))
        client.produce("compacted", records(8, keys=40), codec="lz4")
        assert read_as_group(kafka.bootstrap, "of-none", 1000) == 0
        client._admin.delete_topics(["deleted"])["deleted"].result()
        wait_until_cleaned(kafka.directory / "logs")
        # Another term of the leader.
        kafka.stop()
        kafka.start()
        client = Confluent(kafka.bootstrap)
        client.produce("of-none", records(9))
        topics = [f"of-{codec}" for codec in CODECS] + ["compacted"]
        held = {topic: digest(kafka.bootstrap, topic) for topic in topics}
        running = program("storage", "adopt", kafka.directory / "logs",
                          "--data-dir", kafka.directory / "never", code=1)
        assert "Kafka still runs" in running, running
        kafka.stop()
        yield kafka.directory / "logs", held
    finally:
        kafka.remove()


class Adopted(Precursor):
    """A broker on what was taken over."""

    mode = "copy"
    source = None

    def start(self):
        data = self.directory / "data"
        if not data.exists():
            out = program("storage", "adopt", self.source, "--data-dir", data,
                          "--mode", self.mode, "--output", "json")
            self.report = json.loads(out)
        super().start()


@pytest.fixture(scope="module", params=["copy", "link"])
def adopted(written, request):
    source, _ = written
    before = tree(source)
    broker = type("Adopted", (Adopted,), {"source": source, "mode": request.param})(
        *GROUP_OPTIONS, "log.cleaner.backoff.ms=200")
    yield broker
    broker.remove()
    assert tree(source) == before, "the source was changed"


def test_every_record_is_served_as_kafka_served_it(written, adopted):
    _, held = written
    names = {topic["topic"] for topic in adopted.report["topics"]}
    assert names == {*held, "__consumer_offsets"}
    # A deleted topic's files, where Kafka had no time to remove them.
    left = [entry["directory"] for entry in adopted.report["skipped"]]
    assert all("/deleted-0." in directory for directory in left), left
    served = {topic: digest(adopted.bootstrap, topic) for topic in held}
    assert served == held
    out = java_tool("kafka.admin.ConfigCommand", [
        "--bootstrap-server", adopted.bootstrap, "--describe", "--topic", "compacted"])
    assert "cleanup.policy=compact" in out and "segment.bytes=1048576" in out, out


def test_a_group_goes_on_where_it_was_and_writing_goes_on(written, adopted):
    _, held = written
    assert committed(adopted.bootstrap, "of-none") == 1000
    assert read_as_group(adopted.bootstrap, "of-none", 500) == 1000
    client = Confluent(adopted.bootstrap)
    for topic, (_, end, _) in held.items():
        offsets = client.produce(topic, [Record(b"key-1", b"new %d" % n) for n in range(50)],
                                 codec="zstd")
        assert offsets == list(range(end, end + 50)), topic


def test_what_was_adopted_survives_a_restart_and_kafkas_tool_reads_it(written, adopted):
    _, held = written
    adopted.stop()
    data = adopted.directory / "data"
    assert "no damage" in program("storage", "verify", "--data-dir", data)
    # Once is enough: a link's other name changes nothing in the files.
    for directory in sorted(data.glob("*-0")) if adopted.mode == "copy" else []:
        kafkas_tool_reads(directory)
    adopted.start()
    again = {topic: digest(adopted.bootstrap, topic)[:2] for topic in held if topic != "compacted"}
    assert all(found >= held[topic][0] for topic, (found, _) in again.items()), again
    assert committed(adopted.bootstrap, "of-none") == 1500


def kafkas_tool_reads(directory):
    """Segments, indexes and time indexes, without a complaint."""
    logs = sorted(directory.glob("*.log"))
    out = java_tool("org.apache.kafka.tools.DumpLogSegments", [
        "--deep-iteration", "--files", ",".join(map(str, logs))])
    for complaint in ["isvalid: false", "Found", "non-consecutive", "Exception"]:
        assert complaint not in out, (directory.name, out[-3000:])
    indexes = [path for kind in ["index", "timeindex"]
               for path in sorted(directory.glob(f"*.{kind}")) if path.stat().st_size]
    if not indexes:
        return
    files = ",".join(map(str, indexes))
    checked = java_tool("org.apache.kafka.tools.DumpLogSegments", [
        "--index-sanity-check", "--files", files])
    assert checked.count("passed sanity check") == len(indexes), checked[-3000:]
    dumped = java_tool("org.apache.kafka.tools.DumpLogSegments", [
        "--verify-index-only", "--files", files])
    for complaint in ["Mismatches", "Found", "Exception"]:
        assert complaint not in dumped, (directory.name, dumped[-3000:])
