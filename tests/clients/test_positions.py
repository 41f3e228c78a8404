"""Where a consumer starts: the beginning, the end, an offset, a time."""

import threading
import time

import pytest

from records import Record

CLIENTS = ["kcat", "confluent", "java"]
FIRST_MS = 1_700_000_000_000


@pytest.fixture
def hundred(clients, topic):
    """A topic with 100 records a second apart, in batches of ten."""
    for ten in range(0, 100, 10):
        clients["java"].produce(topic, [
            Record(b"k", b"%d" % n, timestamp_ms=FIRST_MS + 1000 * n) for n in range(ten, ten + 10)])
    return topic


@pytest.mark.parametrize("consumer", CLIENTS)
def test_beginning_and_offsets(clients, hundred, consumer):
    for start, first in [("beginning", 0), (0, 0), (5, 5), (10, 10), (57, 57), (99, 99)]:
        taken = clients[consumer].consume(hundred, start=start, count=min(20, 100 - first))
        assert [offset for offset, _, _ in taken] == list(range(first, min(first + 20, 100)))
        assert [int(r.value) for _, _, r in taken] == [offset for offset, _, _ in taken]


@pytest.mark.parametrize("consumer", CLIENTS)
def test_timestamps_find_the_first_record_at_or_after(clients, hundred, consumer):
    for when, first in [(FIRST_MS, 0), (FIRST_MS - 5000, 0), (FIRST_MS + 1, 1),
                        (FIRST_MS + 33_000, 33), (FIRST_MS + 33_001, 34), (FIRST_MS + 99_000, 99)]:
        (offset, timestamp, record), = clients[consumer].consume(hundred, f"@{when}", 1)
        assert (offset, timestamp, int(record.value)) == (first, FIRST_MS + 1000 * first, first)


def test_a_time_after_every_record_means_the_end(clients, hundred):
    consumer = clients["confluent"].consumer()
    assert clients["confluent"].seek(consumer, hundred, f"@{FIRST_MS + 100_000_000}") == 100
    consumer.close()


def test_the_end_shows_only_what_comes_later(clients, hundred):
    got = []

    def wait():
        got.extend(clients["java"].consume(hundred, "end", 1))

    reader = threading.Thread(target=wait)
    reader.start()
    time.sleep(2)
    clients["confluent"].produce(hundred, [Record(b"late", b"later")])
    reader.join(30)
    assert [(offset, r.content()) for offset, _, r in got] == [(100, (b"late", b"later", ()))]


def test_a_parked_consumer_gets_a_record_at_once(clients, topic):
    """The waiting fetch is answered by the append, not by the end of its wait."""
    consumer = clients["confluent"].consumer()
    clients["confluent"].seek(consumer, topic, "beginning")
    assert consumer.poll(1.0) is None
    delays = []
    for n in range(10):
        clients["confluent"].produce(topic, [Record(b"k", b"%d" % n)])
        sent = time.monotonic()
        message = consumer.poll(10)
        assert message is not None and message.error() is None
        delays.append(time.monotonic() - sent)
    consumer.close()
    assert sorted(delays)[5] < 0.1, delays


def test_deleted_records_are_out_of_range_and_the_rest_stays(clients, hundred):
    assert clients["java"].call("DELETE_RECORDS", hundred, 42)[-1] == ["DONE", "42"]
    for client in CLIENTS:
        taken = clients[client].consume(hundred, "beginning", 58)
        assert [offset for offset, _, _ in taken] == list(range(42, 100))
