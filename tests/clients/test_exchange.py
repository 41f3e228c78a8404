"""Whatever one client writes, every client reads back: each codec, each shape of record."""

import pytest

from records import CODECS, Record, every_shape

CLIENTS = ["kcat", "confluent", "java"]


def shapes_for(producer):
    return every_shape(binary=producer != "kcat")


def readable_by(consumer, records):
    """kcat prints headers as text, so binary header values are left to the others."""
    return [r for r in records if consumer != "kcat" or not any(
        value is None or not value.isascii() or not value for _, value in r.headers)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("producer", CLIENTS)
def test_every_client_reads_what_one_wrote(clients, topic, producer, codec):
    sent = shapes_for(producer)
    offsets = clients[producer].produce(topic, sent, codec=codec)
    assert offsets in ([None] * len(sent), list(range(len(sent))))
    for consumer in CLIENTS:
        taken = clients[consumer].consume(topic, count=len(sent))
        assert [offset for offset, _, _ in taken] == list(range(len(sent)))
        pairs = [(a.content(), b.content()) for a, (_, _, b) in zip(sent, taken)
                 if a in readable_by(consumer, sent)]
        for wanted, got in pairs:
            assert got == wanted, f"{producer} to {consumer} by {codec}"


@pytest.mark.parametrize("codec", ["none", "lz4"])
@pytest.mark.parametrize("producer", CLIENTS)
def test_one_megabyte_messages(clients, topic, producer, codec):
    sent = [Record(b"big", (b"%08d " % n) * 110_000) for n in range(4)]
    assert all(len(record.value) == 990_000 for record in sent)
    clients[producer].produce(topic, sent, codec=codec)
    for consumer in CLIENTS:
        taken = clients[consumer].consume(topic, count=len(sent))
        assert [record.content() for _, _, record in taken] == [r.content() for r in sent]


@pytest.mark.parametrize("producer", CLIENTS)
@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_every_acks_without_idempotence(clients, topic, producer, acks):
    sent = [Record(b"k%d" % n, b"value %d" % n) for n in range(50)]
    clients[producer].produce(topic, sent, acks=acks, idempotent=False)
    taken = clients["confluent"].consume(topic, count=len(sent))
    assert [record.content() for _, _, record in taken] == [r.content() for r in sent]


@pytest.mark.parametrize("producer", CLIENTS)
def test_an_unknown_topic_is_created_when_it_is_written_to(clients, topic_name, producer):
    clients[producer].produce(topic_name, [Record(b"first", b"record")])
    taken = clients["java"].consume(topic_name, count=1)
    assert taken[0][2].content() == (b"first", b"record", ())


def test_partitions_keep_their_own_order(clients, topic_name):
    clients["confluent"].create(topic_name, partitions=7)
    sent = [Record(b"k", b"%d" % n, partition=n % 7) for n in range(700)]
    clients["java"].produce(topic_name, sent[:350])
    clients["confluent"].produce(topic_name, sent[350:])
    for partition in range(7):
        taken = clients["confluent"].consume(topic_name, count=100, partition=partition)
        wanted = [r.value for r in sent if r.partition == partition]
        assert [record.value for _, _, record in taken] == wanted
