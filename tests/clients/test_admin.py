"""Topics and cluster as administration clients see them."""

import pytest
from confluent_kafka import KafkaException

from records import Record


def test_topics_come_and_go_for_both_admin_clients(clients, topic_name):
    java, confluent = clients["java"], clients["confluent"]
    java.call("CREATE", topic_name, 3)
    metadata = confluent.admin().list_topics(timeout=20)
    assert len(metadata.topics[topic_name].partitions) == 3
    assert [topic_name] in java.call("TOPICS")
    confluent.produce(topic_name, [Record(b"k", b"v", partition=2)])
    confluent.admin().delete_topics([topic_name])[topic_name].result(30)
    assert [topic_name] not in java.call("TOPICS")


def test_a_topic_made_again_under_its_name_starts_empty(clients, topic):
    confluent = clients["confluent"]
    confluent.produce(topic, [Record(b"old", b"old")] * 5)
    confluent.admin().delete_topics([topic])[topic].result(30)
    confluent.create(topic)
    confluent.produce(topic, [Record(b"new", b"new")])
    taken = confluent.consume(topic, count=1)
    assert [(offset, record.key) for offset, _, record in taken] == [(0, b"new")]


def test_refusals_reach_the_client(clients, topic):
    confluent = clients["confluent"]
    with pytest.raises(KafkaException, match="TOPIC_ALREADY_EXISTS"):
        confluent.create(topic)
    with pytest.raises(KafkaException, match="TOPIC_EXCEPTION|INVALID_TOPIC"):
        confluent.create("no spaces, please")
    with pytest.raises(KafkaException, match="INVALID_CONFIG"):
        confluent.create(topic + "-odd", config={"retention.ms": "soon"})


def test_a_message_over_the_topics_limit_is_refused(clients, topic_name):
    confluent = clients["confluent"]
    confluent.create(topic_name, config={"max.message.bytes": "1000"})
    with pytest.raises(AssertionError, match="MSG_SIZE_TOO_LARGE"):
        confluent.produce(topic_name, [Record(None, b"x" * 5000)])
    confluent.produce(topic_name, [Record(None, b"x" * 500)])


def test_log_append_time_is_the_brokers_clock(clients, topic_name):
    clients["confluent"].create(topic_name, config={"message.timestamp.type": "LogAppendTime"})
    clients["java"].produce(topic_name, [Record(b"k", b"v", timestamp_ms=1000)] * 3)
    for client in ("kcat", "confluent", "java"):
        taken = clients[client].consume(topic_name, count=3)
        assert all(timestamp > 1_700_000_000_000 for _, timestamp, _ in taken), client


def test_the_cluster_is_described(clients):
    done, cluster_id, nodes = clients["java"].call("CLUSTER")[-1]
    assert done == "DONE" and cluster_id and nodes == "1"
