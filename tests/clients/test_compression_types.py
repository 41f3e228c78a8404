"""Topics of every compression.type: the broker stores their codec, whatever clients send."""

import hashlib
import os
import time

import pytest

from conftest import new_name
from raw import stored_batches
from records import CODECS, Record, every_shape

TYPES = ["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]
WRITERS = ["confluent", "java", "franz-go", "kafka-python"]
READERS = [*WRITERS, "sarama", "kafkajs", "aiokafka"]


def digest(records):
    whole = hashlib.sha256()
    for record in records:
        whole.update(repr(record.content()).encode())
    return whole.hexdigest()


@pytest.mark.parametrize("compression", TYPES)
def test_every_codec_becomes_the_topics_and_every_client_reads_it(
        bootstrap, clients, hand, topic_name, compression):
    hand.create(topic_name, config={"compression.type": compression})
    sent = []
    for codec in CODECS:
        for writer in WRITERS:
            records = every_shape()
            if "null header values" in clients[writer].lacks:
                records = [r for r in records if all(v is not None for _, v in r.headers)]
            if "records without key and value" in clients[writer].lacks:
                records = [r for r in records if (r.key, r.value) != (None, None)]
            clients[writer].produce(topic_name, records, codec=codec)
            sent += records
    batches = stored_batches(bootstrap, topic_name)
    assert sum(count for _, count, _, _ in batches) == len(sent)
    found = {codec for codec, _, _, _ in batches}
    target = "none" if compression == "uncompressed" else compression
    assert found == (set(CODECS) if compression == "producer" else {target})
    for reader in READERS:
        taken = clients[reader].consume(topic_name, count=len(sent))
        assert [offset for offset, _, _ in taken] == list(range(len(sent)))
        assert digest(record for _, _, record in taken) == digest(sent), reader


@pytest.mark.parametrize("compression", ["uncompressed", "lz4"])
def test_log_append_time_is_the_brokers(bootstrap, hand, topic_name, compression):
    hand.create(topic_name, config={
        "compression.type": compression, "message.timestamp.type": "LogAppendTime"})
    before = int(time.time() * 1000)
    for codec in CODECS:
        hand.produce(topic_name, [Record(b"k", b"v%d" % n, (), 1_000) for n in range(9)], codec=codec)
    after = int(time.time() * 1000)
    assert all(by_broker for _, _, _, by_broker in stored_batches(bootstrap, topic_name))
    times = [at for _, at, _ in hand.consume(topic_name, count=9 * len(CODECS))]
    assert times == sorted(times) and all(before <= at <= after for at in times)


def test_many_idempotent_batches_keep_their_order(bootstrap, clients, hand, topic_name):
    hand.create(topic_name, config={"compression.type": "zstd", "compression.zstd.level": "9"})
    values = [b"%06d " % n + os.urandom(8).hex().encode() * 30 for n in range(20_000)]
    for part in range(4):
        records = [Record(b"k", value) for value in values[part::4]]
        (hand if part % 2 else clients["java"]).produce(
            topic_name, records, codec=["none", "lz4", "zstd", "gzip"][part])
    taken = [record.value for _, _, record in hand.consume(topic_name, count=len(values))]
    assert taken == [value for part in range(4) for value in values[part::4]]
    assert {codec for codec, _, _, _ in stored_batches(bootstrap, topic_name)} == {"zstd"}


def test_an_option_that_changes_counts_from_the_next_batch_on(bootstrap, clients, hand):
    topic = new_name()
    hand.create(topic)
    java = clients["java"]
    for compression in ["producer", "gzip", "uncompressed"]:
        java.call("alter", topic=topic, config={"compression.type": compression})
        hand.produce(topic, [Record(b"k", b"text " * 100)] * 5, codec="lz4")
    codecs = [codec for codec, _, _, _ in stored_batches(bootstrap, topic)]
    assert list(dict.fromkeys(codecs)) == ["lz4", "gzip", "none"]


def test_what_does_not_fit_uncompressed_is_too_large(hand, topic_name):
    hand.create(topic_name, config={
        "compression.type": "uncompressed", "max.message.bytes": "10000"})
    for codec in CODECS[1:]:
        with pytest.raises(AssertionError, match="MSG_SIZE_TOO_LARGE"):
            hand.produce(topic_name, [Record(b"k", b"x" * 100_000)], codec=codec)
        hand.produce(topic_name, [Record(b"k", b"x" * 9_000)], codec=codec)
