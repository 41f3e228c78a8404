"""Kafka's own command-line tools, as they come."""

import json
import re

import confluent_kafka as ck

from drivers import java_tool
from records import Record


def test_verifiable_producer_has_every_record_acknowledged(matrix, bootstrap, hand, topic):
    with matrix.tool("kafka-verifiable-producer", "20,000 records, each acknowledged"):
        out = java_tool("org.apache.kafka.tools.VerifiableProducer", [
            "--bootstrap-server", bootstrap, "--topic", topic, "--max-messages", "20000",
            "--throughput", "-1", "--acks", "-1"])
        events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        acknowledged = [event for event in events if event["name"] == "producer_send_success"]
        assert not [event for event in events if event["name"] == "producer_send_error"]
        assert len(acknowledged) == 20000
        by_offset = {event["offset"]: event["value"] for event in acknowledged}
        assert sorted(by_offset) == list(range(20000))
        for offset, _, record in hand.consume(topic, count=20000):
            assert record.value.decode() == by_offset[offset]


def test_producer_perf_test_and_console_consumer_by_partition(matrix, bootstrap, hand, topic_name):
    hand.create(topic_name, partitions=2)
    with matrix.tool("kafka-producer-perf-test", "200,000 records"):
        out = java_tool("org.apache.kafka.tools.ProducerPerformance", [
            "--topic", topic_name, "--num-records", "200000", "--record-size", "100",
            "--throughput", "-1", "--command-property", f"bootstrap.servers={bootstrap}"])
        assert re.search(r"200000 records sent", out), out
        consumer = hand.consumer()
        ends = [consumer.get_watermark_offsets(ck.TopicPartition(topic_name, p))[1]
                for p in range(2)]
        consumer.close()
        assert sum(ends) == 200000
    lines = 0
    with matrix.tool("kafka-console-consumer", "by partition"):
        for partition, end in enumerate(ends):
            out = java_tool("org.apache.kafka.tools.consumer.ConsoleConsumer", [
                "--bootstrap-server", bootstrap, "--topic", topic_name,
                "--partition", str(partition), "--offset", "earliest", "--max-messages", str(end),
                "--timeout-ms", "30000"])
            lines += len(out.splitlines())
        assert lines == 200000


def test_console_producer_and_console_consumer(matrix, bootstrap, clients, topic):
    text = "".join(f"key{n}\tvalue {n}\n" for n in range(100)).encode()
    with matrix.tool("kafka-console-producer", "lines with keys"):
        java_tool("org.apache.kafka.tools.ConsoleProducer", [
            "--bootstrap-server", bootstrap, "--topic", topic,
            "--reader-property", "parse.key=true"], data=text)
        taken = clients["kcat"].consume(topic, count=100)
        assert [r.content() for _, _, r in taken] == [
            Record(b"key%d" % n, b"value %d" % n).content() for n in range(100)]
    with matrix.tool("kafka-console-consumer", "from an offset; as a group"):
        console = lambda *more: java_tool("org.apache.kafka.tools.consumer.ConsoleConsumer", [
            "--bootstrap-server", bootstrap, "--topic", topic, "--timeout-ms", "30000",
            *more]).splitlines()
        read = console("--partition", "0", "--offset", "90", "--max-messages", "10")
        assert read == [f"value {n}" for n in range(90, 100)]
        read = console("--group", f"{topic}-console", "--from-beginning", "--max-messages", "100")
        assert read == [f"value {n}" for n in range(100)]
