"""Transactions that a real Apache Kafka has seen: committed, aborted and open ones, adopted and read by
consumers of committed records; and Kafka's own tools on the transaction indexes."""

import json
import os
import random
import re
import time

import confluent_kafka as ck
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from brokers import Kafka, Precursor
from drivers import java_tool
from test_adoption import program

TOPIC = "ledger"
PLACE = TopicPartition(TOPIC, 0)
DUMP = "org.apache.kafka.tools.DumpLogSegments"


def producer(bootstrap, name=None):
    options = {"bootstrap.servers": bootstrap, "linger.ms": 0, "enable.idempotence": True}
    if name:
        options |= {"transactional.id": name, "transaction.timeout.ms": 900_000}
    made = ck.Producer(options)
    if name:
        made.init_transactions(60)
    return made


def send(sender, tag, count, size=400):
    """Values that say what they are part of."""
    for n in range(count):
        value = b"%s-%d-" % (tag.encode(), n) + random.Random(n).randbytes(size).hex().encode()
        sender.produce(TOPIC, value, b"key-%d" % (n % 11), partition=0)
    assert sender.flush(60) == 0


def write(bootstrap):
    """Transactions that lie within each other, over several segments; the last one stays open."""
    plain = producer(bootstrap)
    writers = [producer(bootstrap, f"writer-{n}") for n in range(3)]
    under_way = set()
    for turn in range(36):
        for at, writer in enumerate(writers):
            if at not in under_way:
                writer.begin_transaction()
                under_way.add(at)
            send(writer, f"writer-{at}-{turn}", 12)
            if (turn + at) % 3 == 2:
                commits = (turn + at) // 3 % 2 == 0
                (writer.commit_transaction if commits else writer.abort_transaction)(60)
                under_way.remove(at)
        send(plain, f"plain-{turn}", 5)
    for at in under_way:
        writers[at].commit_transaction(60)
    hanging = producer(bootstrap, "hanging")
    hanging.begin_transaction()
    send(hanging, "open", 3)
    send(plain, "behind", 4)
    writers[0].begin_transaction()
    send(writers[0], "behind-too", 4)
    writers[0].commit_transaction(60)
    return [plain, hanging, *writers]


def read(bootstrap, isolation, start=0, seconds_max=60, **options):
    """(offset, value) of all that a consumer sees, to the end as it sees it."""
    consumer = ck.Consumer({"bootstrap.servers": bootstrap, "group.id": "reader",
                            "enable.auto.commit": False, "auto.offset.reset": "earliest",
                            "isolation.level": isolation, "enable.partition.eof": True, **options})
    try:
        consumer.assign([TopicPartition(TOPIC, 0, start)])
        seen, deadline = [], time.monotonic() + seconds_max
        while True:
            assert time.monotonic() < deadline, f"no end after {len(seen)} records"
            for message in consumer.consume(500, 0.5):
                if not message.error():
                    seen.append((message.offset(), message.value()))
                elif message.error().code() == ck.KafkaError._PARTITION_EOF:
                    return seen
                else:
                    assert message.error().code() in {ck.KafkaError.NOT_LEADER_FOR_PARTITION}
    finally:
        consumer.close()


def latest(bootstrap, isolation, spec=None):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    asked = {PLACE: spec or OffsetSpec.latest()}
    deadline = time.monotonic() + 30
    while True:
        try:
            told = admin.list_offsets(asked, isolation_level=isolation)[PLACE].result(30)
            return told.offset
        except ck.KafkaException as error:
            # The log is still being opened.
            opening = error.args[0].code() == ck.KafkaError.NOT_LEADER_FOR_PARTITION
            if not opening or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


COMMITTED, UNCOMMITTED = ck.IsolationLevel.READ_COMMITTED, ck.IsolationLevel.READ_UNCOMMITTED


def by_java(bootstrap):
    """Every committed value, by Kafka's own consumer."""
    out = java_tool("org.apache.kafka.tools.consumer.ConsoleConsumer", [
        "--bootstrap-server", bootstrap, "--topic", TOPIC, "--from-beginning",
        "--isolation-level", "read_committed", "--timeout-ms", "6000"])
    return re.findall(r"^(?:writer|plain|open|behind)\S*$", out, re.MULTILINE)


def dumped(directory):
    """What Kafka's tool says of each transaction index, by the segment's base offset."""
    found = {}
    for path in sorted(directory.glob("*.txnindex")):
        out = java_tool(DUMP, ["--files", str(path)])
        assert "Exception" not in out, out
        lines = [line for line in out.splitlines() if "producerId" in line]
        if lines:
            found[path.name] = lines
    return found


@pytest.fixture(scope="module")
def written():
    if os.environ.get("BROKER_BOOTSTRAP") or os.environ.get("BROKER"):
        pytest.skip("needs a broker whose files can be looked at")
    kafka = Kafka("transaction.state.log.num.partitions=1", "log.initial.task.delay.ms=500")
    try:
        admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
        topic = NewTopic(TOPIC, 1, 1, config={"segment.bytes": "1048576"})
        admin.create_topics([topic])[TOPIC].result()
        senders = write(kafka.bootstrap)
        told = {
            "committed": read(kafka.bootstrap, "read_committed"),
            "all": read(kafka.bootstrap, "read_uncommitted"),
            "stable": latest(kafka.bootstrap, COMMITTED),
            "end": latest(kafka.bootstrap, UNCOMMITTED),
            "newest": [latest(kafka.bootstrap, level, OffsetSpec.max_timestamp())
                       for level in (COMMITTED, UNCOMMITTED)],
        }
        kafka.stop()
        del senders
        told["indexes"] = dumped(kafka.directory / "logs" / f"{TOPIC}-0")
        yield kafka.directory / "logs", told
    finally:
        kafka.remove()


class Adopted(Precursor):
    source = None

    def start(self):
        data = self.directory / "data"
        if not data.exists():
            program("storage", "adopt", self.source, "--data-dir", data, "--output", "json")
        super().start()


@pytest.fixture(scope="module", params=[1, 2])
def adopted(written, request):
    """On one shard, and on two: then partitions are read by way of another shard too."""
    source, _ = written
    broker = type("Adopted", (Adopted,), {"source": source})(f"dataplane.shards={request.param}")
    yield broker
    broker.remove()


def same_as_kafka(bootstrap, told):
    assert read(bootstrap, "read_committed") == told["committed"]
    assert read(bootstrap, "read_uncommitted") == told["all"]
    assert latest(bootstrap, COMMITTED) == told["stable"]
    assert latest(bootstrap, UNCOMMITTED) == told["end"]


def test_the_story_is_one(written):
    _, told = written
    values = [value for _, value in told["all"]]
    assert 600 < len(told["committed"]) < len(values) and told["stable"] < told["end"] - 8
    assert not any(value.startswith((b"open", b"behind")) for _, value in told["committed"])
    assert len(told["indexes"]) > 1, "several segments have aborted transactions"


def test_consumers_of_committed_records_see_what_they_saw_of_kafka(written, adopted):
    _, told = written
    same_as_kafka(adopted.bootstrap, told)
    expected = [value.decode() for _, value in told["committed"]]
    assert by_java(adopted.bootstrap) == expected
    # From within transactions, and in small answers.
    for start in random.Random(1).sample(range(told["stable"]), 6):
        expected = [one for one in told["committed"] if one[0] >= start]
        seen = read(adopted.bootstrap, "read_committed", start,
                    **{"fetch.message.max.bytes": 3_000})
        assert seen == expected, start


def test_times_are_found_among_what_is_committed(written, adopted):
    _, told = written
    newest = [latest(adopted.bootstrap, level, OffsetSpec.max_timestamp())
              for level in (COMMITTED, UNCOMMITTED)]
    assert newest == told["newest"]


def test_who_holds_a_transaction_open_is_told(written, adopted):
    _, told = written
    out = java_tool("org.apache.kafka.tools.TransactionsCommand", [
        "--bootstrap-server", adopted.bootstrap, "describe-producers", "--topic", TOPIC,
        "--partition", "0"])
    rows = [line.split() for line in out.splitlines() if re.match(r"\d", line)]
    open_from = [row[5] for row in rows if row[5] not in {"None", "-1"}]
    assert open_from == [str(told["stable"])], out


def test_after_a_restart_it_is_the_same(written, adopted):
    _, told = written
    adopted.stop()
    adopted.start()
    same_as_kafka(adopted.bootstrap, told)


def test_the_indexes_are_kafkas_and_are_mended(written, adopted):
    _, told = written
    adopted.stop()
    data = adopted.directory / "data"
    directory = data / f"{TOPIC}-0"
    assert "no damage" in program("storage", "verify", "--data-dir", data)
    assert dumped(directory) == told["indexes"]
    path = sorted(directory.glob("*.txnindex"))[0]
    good = path.read_bytes()
    entries = [json.loads(line) for line in
               program("storage", "dump", "--data-dir", data, path, "--output", "json").splitlines()]
    assert len(entries) == len(good) // 34, entries
    for bad in [good[:-34], good[:-5]]:
        path.write_bytes(bad)
        out = program("storage", "verify", "--data-dir", data, code=1)
        assert "transaction-index" in out or ".txnindex" in out, out
        program("storage", "repair", "--data-dir", data, "--yes")
        assert path.read_bytes() == good
        assert "no damage" in program("storage", "verify", "--data-dir", data)
    adopted.start()
    same_as_kafka(adopted.bootstrap, told)
