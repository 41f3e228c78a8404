"""Topics and cluster as administration clients see them."""

import pytest
from confluent_kafka import KafkaException

from drivers import Refused
from members import wait_until
from records import Record

UNKNOWN_TOPIC = r"(?i)unknown.?topic|does not (exist|host)|not present|failed to update metadata"


def test_topics_come_and_go(matrix, hand, clients, topic_name, client):
    """Everything that the client can do to a topic, in the order of a topic's life."""
    client = clients[client]
    with matrix.cell(client, "create a topic") as has:
        if has:
            client.create(topic_name, 3, {"retention.ms": "123000"})
        else:
            hand.create(topic_name, 3, {"retention.ms": "123000"})
    with matrix.cell(client, "describe a topic"):
        assert client.call("describe", topic=topic_name)["partitions"] == 3
    with matrix.cell(client, "describe a topic's options") as has:
        if has:
            config = client.call("config", topic=topic_name)["config"]
            assert config["retention.ms"] == "123000"
            assert config["cleanup.policy"] == "delete"
    with matrix.cell(client, "alter a topic's options") as has:
        if has:
            client.call("alter", topic=topic_name, config={"retention.ms": "456000"})
            wait_until("the change is not seen", lambda: client.call(
                "config", topic=topic_name)["config"]["retention.ms"] == "456000", 10)
    hand.produce(topic_name, [Record(b"k", b"v", partition=2)])
    with matrix.cell(client, "delete a topic") as has:
        if has:
            client.call("delete", topic=topic_name)
            assert topic_name not in hand.admin().list_topics(timeout=20).topics


def test_what_a_client_does_wrong_reaches_it(clients, topic, client):
    client = clients[client]
    if "create a topic" in client.lacks:
        return
    with pytest.raises(Refused, match="(?i)exists"):
        client.create(topic)
    with pytest.raises(Refused, match="(?i)invalid.?topic|topic.?exception|invalid topic"):
        client.create("no spaces, please")
    with pytest.raises(Refused, match="(?i)config"):
        client.create(topic + "-odd", config={"retention.ms": "soon"})
    with pytest.raises(Refused, match="(?i)invalid.?partitions|partitions"):
        client.create(topic + "-none", partitions=0)
    assert client.call("describe", topic=topic)["partitions"] == 1


def test_a_topic_made_again_under_its_name_starts_empty(hand, topic):
    hand.produce(topic, [Record(b"old", b"old")] * 5)
    hand.admin().delete_topics([topic])[topic].result(30)
    hand.create(topic)
    hand.produce(topic, [Record(b"new", b"new")])
    taken = hand.consume(topic, count=1)
    assert [(offset, record.key) for offset, _, record in taken] == [(0, b"new")]


def test_refusals_reach_the_client(hand, topic):
    with pytest.raises(KafkaException, match="TOPIC_ALREADY_EXISTS"):
        hand.create(topic)
    with pytest.raises(KafkaException, match="TOPIC_EXCEPTION|INVALID_TOPIC"):
        hand.create("no spaces, please")
    with pytest.raises(KafkaException, match="INVALID_CONFIG"):
        hand.create(topic + "-odd", config={"retention.ms": "soon"})


def test_a_message_over_the_topics_limit_is_refused(hand, topic_name):
    hand.create(topic_name, config={"max.message.bytes": "1000"})
    with pytest.raises(AssertionError, match="MSG_SIZE_TOO_LARGE"):
        hand.produce(topic_name, [Record(None, b"x" * 5000)])
    hand.produce(topic_name, [Record(None, b"x" * 500)])


def test_log_append_time_is_the_brokers_clock(matrix, hand, clients, topic_name):
    hand.create(topic_name, config={"message.timestamp.type": "LogAppendTime"})
    clients["java"].produce(topic_name, [Record(b"k", b"v", timestamp_ms=1000)] * 3)
    for reader in clients.values():
        with matrix.cell(reader, "LogAppendTime") as has:
            taken = reader.consume(topic_name, count=3)
            brokers_clock = all(time > 1_700_000_000_000 for _, time, _ in taken)
            assert brokers_clock == has, reader.name


def test_the_cluster_is_described(clients):
    cluster = clients["java"].call("cluster")
    assert cluster["id"] and cluster["nodes"] == 1
