"""__consumer_offsets is a topic in Kafka's format: Kafka's own tools read what groups left there."""

import json

import confluent_kafka as ck
import pytest

import brokers
from drivers import java_tool
from librdkafka import Confluent
from members import wait_until
from records import Record

TOPIC, GROUP = "read", "readers"
CONSOLE = "org.apache.kafka.tools.consumer"


@pytest.fixture(scope="module")
def broker():
    """A broker on which a group of one member has read, committed and left."""
    broker = brokers.Precursor("group.initial.rebalance.delay.ms=0")
    hand = Confluent(broker.bootstrap)
    hand.create(TOPIC)
    hand.produce(TOPIC, [Record(b"k", b"%d" % n) for n in range(5)])
    member = ck.Consumer({"bootstrap.servers": broker.bootstrap, "group.id": GROUP,
                          "auto.offset.reset": "earliest", "enable.auto.commit": False})
    member.subscribe([TOPIC])
    wait_until("no assignment", lambda: (member.poll(0.1), member.assignment())[1])
    at = ck.TopicPartition(TOPIC, 0, 3, "a note")
    member.commit(offsets=[at], asynchronous=False)
    member.close()
    yield broker
    broker.remove()


def records(broker, formatter):
    """Keys and values that Kafka's console consumer makes of the topic's records."""
    out = java_tool(f"{CONSOLE}.ConsoleConsumer", [
        "--bootstrap-server", broker.bootstrap, "--topic", "__consumer_offsets", "--from-beginning",
        # Its own commits would be records of the topic that it reads, without end.
        "--command-property", "enable.auto.commit=false",
        "--timeout-ms", "5000", "--formatter", f"{CONSOLE}.{formatter}"])
    found, rest = [], out[max(out.find("{"), 0):]
    decoder = json.JSONDecoder()
    # One after another, with or without a line's end between them.
    while rest.startswith("{"):
        one, end = decoder.raw_decode(rest)
        found.append((one["key"]["data"], one["value"] and one["value"]["data"]))
        rest = rest[end:].lstrip()
    return found


def test_the_console_consumer_reads_commits(broker):
    mine = [value for key, value in records(broker, "OffsetsMessageFormatter")
            if key == {"group": GROUP, "topic": TOPIC, "partition": 0}]
    # confluent-kafka counts the end of its C string as part of the metadata.
    noted = mine[-1]["metadata"].removesuffix("\0")
    assert (mine[-1]["offset"], noted) == (3, "a note"), mine


def test_the_console_consumer_reads_groups(broker):
    mine = [value for key, value in records(broker, "GroupMetadataMessageFormatter")
            if key == {"group": GROUP}]
    assert [len(value["members"]) for value in mine] == [1, 0], mine
    assert mine[0]["protocolType"] == "consumer" and mine[0]["members"][0]["assignment"], mine


def test_dump_log_segments_decodes_the_files(broker):
    broker.stop()
    logs = [path for path in (broker.directory / "data").glob("__consumer_offsets-*/*.log")
            if path.stat().st_size]
    out = java_tool("org.apache.kafka.tools.DumpLogSegments", [
        "--offsets-decoder", "--files", ",".join(map(str, logs))])
    broker.start()
    assert f'"group":"{GROUP}","topic":"{TOPIC}","partition":0' in out, out[-3000:]
    assert '"offset":3' in out and "isvalid: false" not in out, out[-3000:]
