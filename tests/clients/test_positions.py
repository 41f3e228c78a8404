"""Where a consumer starts: the beginning, the end, an offset, a time."""

import threading
import time

import pytest

from conftest import new_name
from records import Record

FIRST_MS = 1_700_000_000_000


@pytest.fixture(scope="module")
def hundred(hand):
    """A topic with 100 records a second apart, in batches of ten; nothing more is written to it."""
    name = new_name()
    # The records are old; retention must not take them.
    hand.create(name, config={"retention.ms": "-1"})
    for ten in range(0, 100, 10):
        hand.produce(name, [Record(b"k", b"%d" % n, timestamp_ms=FIRST_MS + 1000 * n)
                            for n in range(ten, ten + 10)])
    return name


def test_beginning_and_offsets(matrix, clients, hundred, client):
    with matrix.cell(clients[client], "start at the beginning, the end, an offset"):
        for start, first in [("beginning", 0), (0, 0), (5, 5), (10, 10), (57, 57), (99, 99)]:
            taken = clients[client].consume(hundred, start=start, count=min(20, 100 - first))
            assert [offset for offset, _, _ in taken] == list(range(first, min(first + 20, 100)))
            assert [int(r.value) for _, _, r in taken] == [offset for offset, _, _ in taken]


def test_timestamps_find_the_first_record_at_or_after(matrix, clients, hundred, client):
    with matrix.cell(clients[client], "start at a time"):
        for when, first in [(FIRST_MS, 0), (FIRST_MS - 5000, 0), (FIRST_MS + 1, 1),
                            (FIRST_MS + 33_000, 33), (FIRST_MS + 33_001, 34),
                            (FIRST_MS + 99_000, 99)]:
            (offset, timestamp, record), = clients[client].consume(hundred, f"@{when}", 1)
            assert (offset, timestamp, int(record.value)) == (first, FIRST_MS + 1000 * first, first)


def test_a_time_after_every_record_means_the_end(hand, hundred):
    consumer = hand.consumer()
    assert hand.seek(consumer, hundred, f"@{FIRST_MS + 100_000_000}") == 100
    consumer.close()


def test_the_end_shows_only_what_comes_later(matrix, hand, clients, topic, client):
    """The reader must have looked for the end before the record that it waits for is written,
    so records are written until it has one."""
    with matrix.cell(clients[client], "start at the beginning, the end, an offset"):
        hand.produce(topic, [Record(b"k", b"early")] * 10)
        got = []
        reader = threading.Thread(
            target=lambda: got.extend(clients[client].consume(topic, "end", 1)))
        reader.start()
        for _ in range(100):
            hand.produce(topic, [Record(b"late", b"later")])
            reader.join(0.2)
            if not reader.is_alive():
                break
        reader.join(30)
        (offset, _, record), = got
        assert offset >= 10 and record.content() == (b"late", b"later", ())


def test_a_parked_consumer_gets_a_record_at_once(hand, topic):
    """The waiting fetch is answered by the append, not by the end of its wait."""
    consumer = hand.consumer()
    hand.seek(consumer, topic, "beginning")
    assert consumer.poll(1.0) is None
    delays = []
    for n in range(10):
        hand.produce(topic, [Record(b"k", b"%d" % n)])
        sent = time.monotonic()
        message = consumer.poll(10)
        assert message is not None and message.error() is None
        delays.append(time.monotonic() - sent)
    consumer.close()
    assert sorted(delays)[5] < 0.1, delays


def test_deleted_records_are_out_of_range_and_the_rest_stays(hand, clients, topic):
    hand.produce(topic, [Record(b"k", b"%d" % n) for n in range(100)])
    assert clients["java"].call("delete_records", topic=topic, before=42)["start"] == 42
    for reader in clients.values():
        taken = reader.consume(topic, "beginning", 58)
        assert [offset for offset, _, _ in taken] == list(range(42, 100)), reader.name
