"""Options and quotas changed on a running broker, by Kafka's own tools and by librdkafka."""

import time

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType)

import brokers
from drivers import java_tool
from librdkafka import Confluent
from members import wait_until
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


def test_lines_of_another_level_are_written_at_once_and_after_a_restart():
    broker = brokers.Precursor()
    try:
        hand = Confluent(broker.bootstrap)
        debug = lambda: sum(" DEBUG " in line for line in broker.log.read_text().splitlines())
        assert not debug()
        change(hand, ResourceType.BROKER, "1", "log.level", "debug")
        hand.create("told")
        wait_until("no line of a lower level", debug, 10)
        broker.stop()
        before = debug()
        broker.start()
        hand.create("told-too")
        wait_until("no line of a lower level after the restart", lambda: debug() > before, 10)
        change(hand, ResourceType.BROKER, "1", "log.level", None, AlterConfigOpType.DELETE)
        time.sleep(0.5)
        before = debug()
        hand.create("told-quietly")
        time.sleep(0.5)
        assert debug() == before
        with pytest.raises(KafkaException, match="log.level"):
            change(hand, ResourceType.BROKER, "1", "log.level", "loud")
    finally:
        broker.remove()


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
