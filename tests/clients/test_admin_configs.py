"""Options and quotas changed on a running broker, by Kafka's own tools and by librdkafka."""

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType)

from drivers import java_tool
from records import Record


def change(hand, kind, name, option, value, operation=AlterConfigOpType.SET):
    entry = ConfigEntry(option, value, incremental_operation=operation)
    resource = ConfigResource(kind, name, incremental_configs=[entry])
    for future in hand.admin().incremental_alter_configs([resource]).values():
        future.result(30)


def value(hand, kind, name, option):
    [future] = hand.admin().describe_configs([ConfigResource(kind, name)]).values()
    return future.result(30)[option].value


def test_a_topics_limit_changes_at_once_and_back(hand, topic):
    big = [Record(None, b"x" * 5000)]
    hand.produce(topic, big)
    change(hand, ResourceType.TOPIC, topic, "max.message.bytes", "1000")
    assert value(hand, ResourceType.TOPIC, topic, "max.message.bytes") == "1000"
    with pytest.raises(AssertionError, match="MSG_SIZE_TOO_LARGE"):
        hand.produce(topic, big)
    change(hand, ResourceType.TOPIC, topic, "max.message.bytes", None,
           AlterConfigOpType.DELETE)
    hand.produce(topic, big)


def test_the_brokers_default_changes_for_topics_that_do_not_say(hand, topic):
    big = [Record(None, b"x" * 5000)]
    change(hand, ResourceType.BROKER, "1", "message.max.bytes", "1000")
    try:
        assert value(hand, ResourceType.TOPIC, topic, "max.message.bytes") == "1000"
        with pytest.raises(AssertionError, match="MSG_SIZE_TOO_LARGE"):
            hand.produce(topic, big)
    finally:
        change(hand, ResourceType.BROKER, "1", "message.max.bytes", None,
               AlterConfigOpType.DELETE)
    hand.produce(topic, big)


def test_refusals_say_what_would_be_taken(hand, topic):
    with pytest.raises(KafkaException, match="did you mean 'retention.ms'"):
        change(hand, ResourceType.TOPIC, topic, "retention.m", "1")
    with pytest.raises(KafkaException, match="restart"):
        change(hand, ResourceType.BROKER, "1", "node.id", "7")
    with pytest.raises(KafkaException, match="INVALID_CONFIG"):
        change(hand, ResourceType.TOPIC, topic, "segment.bytes", "1")


def test_kafkas_tool_for_log_directories(bootstrap, hand, topic):
    hand.produce(topic, [Record(b"k", b"v" * 1000)])
    out = java_tool("org.apache.kafka.tools.LogDirsCommand", [
        "--bootstrap-server", bootstrap, "--describe", "--topic-list", topic])
    assert f'"partition":"{topic}-0"' in out and '"size":1' in out, out


def test_kafkas_tool_for_topics_describes_and_grows(bootstrap, topic):
    tool = "org.apache.kafka.tools.TopicCommand"
    java_tool(tool, ["--bootstrap-server", bootstrap, "--alter", "--topic", topic,
                     "--partitions", "3"])
    out = java_tool(tool, ["--bootstrap-server", bootstrap, "--describe", "--topic", topic])
    assert "PartitionCount: 3" in out, out
