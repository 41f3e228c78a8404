"""Kafka's tools around partitions: who leads them, where they are, how many there are."""

import json
import re

from drivers import java_tool
from records import Record

LEADERS = "org.apache.kafka.tools.LeaderElectionCommand"
REASSIGN = "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"


def refused(tool, arguments):
    try:
        out = java_tool(tool, arguments)
    except AssertionError as error:
        return str(error)
    raise AssertionError(f"{arguments} was taken: {out}")


def test_leader_election(matrix, bootstrap, topic):
    ask = ["--bootstrap-server", bootstrap, "--election-type", "preferred"]
    with matrix.tool("kafka-leader-election", "of a partition, of all, of none that exists"):
        out = java_tool(LEADERS, [*ask, "--topic", topic, "--partition", "0"])
        assert f"Valid replica already elected for partitions {topic}-0" in out, out
        java_tool(LEADERS, [*ask, "--all-topic-partitions"])
        out = refused(LEADERS, [*ask, "--topic", topic, "--partition", "7"])
        assert "UnknownTopicOrPartition" in out or "does not exist" in out, out


def test_reassignment(matrix, bootstrap, topic, tmp_path):
    ask = ["--bootstrap-server", bootstrap]

    def plan(broker):
        file = tmp_path / f"to-{broker}.json"
        file.write_text(json.dumps({"version": 1, "partitions": [
            {"topic": topic, "partition": 0, "replicas": [broker]}]}))
        return ["--reassignment-json-file", str(file)]

    with matrix.tool("kafka-reassign-partitions", "list, generate, execute, verify, a refusal"):
        assert "No partition reassignments found" in java_tool(REASSIGN, [*ask, "--list"])
        topics = tmp_path / "topics.json"
        topics.write_text(json.dumps({"version": 1, "topics": [{"topic": topic}]}))
        out = java_tool(REASSIGN, [*ask, "--generate", "--topics-to-move-json-file", str(topics),
                                   "--broker-list", "1"])
        assert f'"topic":"{topic}","partition":0,"replicas":[1]' in out, out
        out = java_tool(REASSIGN, [*ask, "--execute", *plan(1)])
        assert "Successfully started partition reassignment" in out, out
        out = java_tool(REASSIGN, [*ask, "--verify", *plan(1)])
        assert f"Reassignment of partition {topic}-0 is completed" in out, out
        assert refused(REASSIGN, [*ask, "--execute", *plan(9)])


def test_more_partitions_than_one_answer_holds(matrix, bootstrap, hand, topic_name):
    # DescribeTopicPartitions answers with 2,000 partitions and where to go on.
    hand.create(topic_name, partitions=2_100)
    with matrix.tool("kafka-topics", "describe 2,100 partitions, in two answers"):
        out = java_tool("org.apache.kafka.tools.TopicCommand", [
            "--bootstrap-server", bootstrap, "--describe", "--topic", topic_name])
        told = re.findall(r"Partition: (\d+)\s+Leader: 1\s+Replicas: 1\s+Isr: 1", out)
        assert [int(number) for number in told] == list(range(2_100))
    hand.admin().delete_topics([topic_name])[topic_name].result(30)


def test_log_directories(matrix, bootstrap, hand, topic):
    hand.produce(topic, [Record(b"k", b"v" * 1000)] * 10)
    with matrix.tool("kafka-log-dirs", "describe, by topic and by broker"):
        out = java_tool("org.apache.kafka.tools.LogDirsCommand", [
            "--bootstrap-server", bootstrap, "--describe", "--topic-list", topic,
            "--broker-list", "1"])
        [described] = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        [broker] = described["brokers"]
        [directory] = broker["logDirs"]
        assert broker["broker"] == 1 and directory["error"] is None, out
        [partition] = directory["partitions"]
        assert partition["partition"] == f"{topic}-0" and 10_000 < partition["size"] < 12_000
        assert not partition["isFuture"] and partition["offsetLag"] == 0
