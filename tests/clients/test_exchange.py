"""Whatever one client writes, every client reads back: each codec, each shape of record."""

import pytest

from matrix import CODEC_FEATURES
from records import CODECS, Record, every_shape


def shapes_for(client):
    records = every_shape(binary=client.name != "kcat")
    if "null header values" in client.lacks:
        records = [r for r in records if all(value is not None for _, value in r.headers)]
    if "records without key and value" in client.lacks:
        records = [r for r in records if (r.key, r.value) != (None, None)]
    return records


def readable_by(client, record):
    """kcat prints headers as text, so binary header values are left to the others."""
    return client.name != "kcat" or all(
        value is not None and value.isascii() and value for _, value in record.headers)


def test_every_client_reads_what_one_wrote(matrix, clients, topic, client):
    """All codecs one after the other in one topic, and every client reads the whole."""
    writer = clients[client]
    sent = []
    for codec in CODECS:
        with matrix.cell(writer, CODEC_FEATURES[codec]):
            records = shapes_for(writer)
            offsets = writer.produce(topic, records, codec=codec)
            first = len(sent)
            assert offsets in ([None] * len(records), list(range(first, first + len(records))))
            sent += [(codec, record) for record in records]
    for reader in clients.values():
        taken = reader.consume(topic, count=len(sent))
        assert [offset for offset, _, _ in taken] == list(range(len(sent)))
        for (codec, wanted), (_, _, got) in zip(sent, taken):
            with matrix.cell(reader, CODEC_FEATURES[codec]):
                if readable_by(reader, wanted):
                    assert got.content() == wanted.content(), f"{client} to {reader.name}, {codec}"


def test_records_without_key_and_value(matrix, clients, topic, client):
    with matrix.cell(clients[client], "records without key and value") as has:
        if has:
            sent = [Record(None, None), Record(b"", b""), Record(None, None)]
            clients[client].produce(topic, sent)
            for reader in clients.values():
                taken = reader.consume(topic, count=3)
                assert [r.content() for _, _, r in taken] == [r.content() for r in sent], reader.name


def test_null_header_values(matrix, clients, topic, client):
    with matrix.cell(clients[client], "null header values") as has:
        if has:
            sent = Record(b"k", b"v", (("none", None), ("empty", b""), ("none", b"\0")))
            clients[client].produce(topic, [sent])
            for reader in ("java", client):
                (_, _, got), = clients[reader].consume(topic)
                assert got.content() == sent.content(), reader


def test_one_megabyte_messages(matrix, clients, topic, client):
    sent = [Record(b"big", (b"%08d " % n) * 110_000) for n in range(4)]
    assert all(len(record.value) == 990_000 for record in sent)
    clients[client].produce(topic, sent[:2], codec="none")
    clients[client].produce(topic, sent[2:], codec="lz4")
    for reader in clients.values():
        with matrix.cell(reader, "records of 1 MB"):
            taken = reader.consume(topic, count=len(sent))
            same = [record.content() for _, _, record in taken] == [r.content() for r in sent]
            assert same, f"{client} to {reader.name}"


@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_every_acks_without_idempotence(matrix, hand, clients, topic, client, acks):
    with matrix.cell(clients[client], "acks 0, 1 and all"):
        sent = [Record(b"k%d" % n, b"value %d" % n) for n in range(50)]
        clients[client].produce(topic, sent, acks=acks, idempotent=False)
        taken = hand.consume(topic, count=len(sent))
        assert [record.content() for _, _, record in taken] == [r.content() for r in sent]


def test_idempotent_producers(matrix, hand, clients, topic, client):
    with matrix.cell(clients[client], "idempotent producer"):
        sent = [Record(b"k%d" % n, b"value %d" % n) for n in range(500)]
        clients[client].produce(topic, sent, acks="all", idempotent=True)
        taken = hand.consume(topic, count=len(sent))
        assert [record.content() for _, _, record in taken] == [r.content() for r in sent]


@pytest.mark.parametrize("producer", ["kcat", "confluent", "java", "kafka-python"])
def test_an_unknown_topic_is_created_when_it_is_written_to(clients, topic_name, producer):
    clients[producer].produce(topic_name, [Record(b"first", b"record")])
    taken = clients["java"].consume(topic_name, count=1)
    assert taken[0][2].content() == (b"first", b"record", ())


def test_partitions_keep_their_own_order(hand, clients, topic_name):
    hand.create(topic_name, partitions=7)
    sent = [Record(b"k", b"%d" % n, partition=n % 7) for n in range(700)]
    clients["java"].produce(topic_name, sent[:350])
    hand.produce(topic_name, sent[350:])
    for partition in range(7):
        taken = hand.consume(topic_name, count=100, partition=partition)
        wanted = [r.value for r in sent if r.partition == partition]
        assert [record.value for _, _, record in taken] == wanted
