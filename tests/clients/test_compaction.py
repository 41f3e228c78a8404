"""Compacted topics: what is kept, as clients and Kafka's own dump tool read it."""

import os
import re
import time

import pytest
from confluent_kafka import TopicPartition

from brokers import Precursor
from drivers import java_tool
from librdkafka import Confluent
from records import Record

KEYS = 40
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


@pytest.fixture(scope="module")
def cleaning():
    """A broker of our own that cleans at once, and its data directory."""
    if os.environ.get("BROKER_BOOTSTRAP"):
        pytest.skip("needs a broker whose files can be looked at")
    broker = Precursor("log.cleaner.backoff.ms=200")
    yield broker.bootstrap, broker.directory / "data"
    broker.remove()


def segments(directory):
    return sorted(directory.glob("*.log"))


def active_base(directory):
    return int(segments(directory)[-1].stem)


def everything(client, topic):
    """All records as (offset, key, value)."""
    consumer = client.consumer()
    try:
        _, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20)
        client.seek(consumer, topic, "beginning")
        taken = []
        while not taken or taken[-1][0] < high - 1:
            offset, _, record = client.take(consumer, 1)[0]
            taken.append((offset, record.key, record.value))
        return taken
    finally:
        consumer.close()


def settled(directory, seconds_max=60):
    """Waits until the log's files do not change any more."""
    deadline = time.monotonic() + seconds_max
    before, same = None, 0
    while same < 8:
        assert time.monotonic() < deadline, "cleaning does not come to an end"
        now = [(path.name, path.stat().st_size) for path in segments(directory)[:-1]]
        same = same + 1 if now == before else 0
        before = now
        time.sleep(0.25)


@pytest.mark.parametrize("codec", CODECS)
def test_exactly_the_latest_values_are_kept(cleaning, codec):
    bootstrap, data = cleaning
    confluent = Confluent(bootstrap)
    topic = f"compacted-{codec}"
    confluent.create(topic, config={
        "cleanup.policy": "compact", "segment.bytes": "1048576",
        "min.cleanable.dirty.ratio": "0.01"})
    written = {}
    noise = os.urandom(3000).hex().encode()
    for part in range(4):
        records = []
        for n in range(400):
            key = b"key-%d" % (n * 7 % KEYS)
            value = b"%s-%d-%d-%s" % (codec.encode(), part, n, noise)
            records.append(Record(key, None if n % 50 == 49 else value))
        for offset, record in zip(confluent.produce(topic, records, codec=codec), records):
            written[offset] = record
    directory = data / f"{topic}-0"
    settled(directory)
    below = active_base(directory)
    latest = {written[o].key: o for o in sorted(written) if o < below}
    taken = everything(confluent, topic)
    for offset, key, value in taken:
        assert (key, value) == (written[offset].key, written[offset].value), offset
        assert offset >= below or latest[key] == offset, "a record that was superseded"
    offsets = {offset for offset, _, _ in taken}
    assert offsets >= {o for o in written if o >= below}
    assert offsets >= set(latest.values())
    kafkas_tool_reads(directory, [o for o in sorted(offsets) if o < below], codec)


def kafkas_tool_reads(directory, offsets, codec):
    """Every cleaned segment and its indexes, through DumpLogSegments."""
    found = []
    for path in segments(directory)[:-1]:
        out = java_tool("org.apache.kafka.tools.DumpLogSegments", [
            "--deep-iteration", "--files", str(path)])
        assert "isvalid: true" in out and "isvalid: false" not in out, out[-2000:]
        codecs = set(re.findall(r"compresscodec: (\w+)", out))
        assert codecs <= {codec, "none"}, codecs
        found += [int(n) for n in re.findall(r"^\| offset: (\d+)", out, re.M)]
        for kind in ["index", "timeindex"]:
            index = path.with_suffix("." + kind)
            if index.stat().st_size == 0:
                continue
            out = java_tool("org.apache.kafka.tools.DumpLogSegments", [
                "--index-sanity-check", "--files", str(index)])
            assert "passed sanity check" in out, out
    assert found == offsets


def test_a_record_without_a_key_is_refused(cleaning):
    bootstrap, _ = cleaning
    confluent = Confluent(bootstrap)
    confluent.create("keys-only", config={"cleanup.policy": "compact,delete"})
    for codec in CODECS:
        with pytest.raises(AssertionError, match="INVALID_RECORD"):
            confluent.produce("keys-only", [Record(None, b"x")], codec=codec)
        confluent.produce("keys-only", [Record(b"k", b"x")], codec=codec)
