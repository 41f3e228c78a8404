"""A damaged batch in a partition's files: every client reads what is before and behind it."""

import os
import re

import pytest

from brokers import Precursor
from conftest import GROUP_OPTIONS
from drivers import CLIENTS, every_client
from librdkafka import Confluent
from records import Record

TOPIC = "damaged"
RECORDS = 300


@pytest.fixture(scope="module")
def damaged():
    """A broker on files of which one batch was changed while it was stopped; the offsets that are left."""
    if os.environ.get("BROKER_BOOTSTRAP") or os.environ.get("BROKER"):
        pytest.skip("needs a broker whose files can be changed")
    broker = Precursor(*GROUP_OPTIONS)
    client = Confluent(broker.bootstrap)
    client.create(TOPIC, config={"segment.bytes": "1048576"})
    for first in range(0, RECORDS, 10):
        client.produce(TOPIC, [Record(b"k%d" % n, b"v%d " % n * 2500)
                               for n in range(first, first + 10)])
    broker.stop()
    segments = sorted((broker.directory / "data" / f"{TOPIC}-0").glob("*.log"))
    assert len(segments) > 2
    content = bytearray(segments[1].read_bytes())
    # The second batch of a segment in the middle: inside of its records.
    length = 12 + int.from_bytes(content[8:12], "big")
    base = int.from_bytes(content[length:length + 8], "big")
    last = base + int.from_bytes(content[length + 23:length + 27], "big")
    content[length + 100] ^= 0x10
    segments[1].write_bytes(content)
    broker.start()
    yield broker, [n for n in range(RECORDS) if not base <= n <= last]
    broker.remove()


@pytest.fixture(scope="module")
def readers(damaged):
    clients = every_client(damaged[0].bootstrap)
    yield clients
    for driver in clients.values():
        driver.close()


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_reads_on_behind_a_damaged_batch(damaged, readers, name):
    _, left = damaged
    taken = readers[name].consume(TOPIC, count=len(left))
    assert [offset for offset, _, _ in taken] == left
    assert [record.value for _, _, record in taken] == [b"v%d " % n * 2500 for n in left]


def test_the_damage_was_told_once_and_kept(damaged, readers):
    broker, _ = damaged
    readers[CLIENTS[0]].consume(TOPIC, count=RECORDS // 2)
    log = broker.log.read_text()
    told = re.findall(r"ERROR.*a damaged batch was taken out of a segment.*", log)
    assert len(told) == 1, told
    assert "position=" in told[0] and "first_offset=" in told[0], told
    kept = list((broker.directory / "data/quarantine" / f"{TOPIC}-0").iterdir())
    assert len(kept) == 1, kept
