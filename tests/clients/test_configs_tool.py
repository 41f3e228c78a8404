"""kafka-configs on what options are set on: alter, describe, delete, and what is refused."""

import re

from drivers import kafka_configs


def described(bootstrap, *entity):
    """Options by name, as the tool shows them: value and where it comes from."""
    out = kafka_configs(bootstrap, "--describe", *entity)
    return dict(re.findall(r"^\s+([\w.]+)=(\S*) sensitive=\w+ synonyms=", out, re.M)), out


def refused(bootstrap, *arguments):
    try:
        kafka_configs(bootstrap, *arguments)
    except AssertionError as error:
        return str(error)
    raise AssertionError(f"{arguments} was taken")


def test_topics(matrix, bootstrap, topic):
    entity = ["--entity-type", "topics", "--entity-name", topic]
    with matrix.tool("kafka-configs", "topics: alter, describe, describe --all, delete, a refusal"):
        kafka_configs(bootstrap, "--alter", *entity,
                      "--add-config", "retention.ms=86400000,cleanup.policy=[compact,delete]")
        options, out = described(bootstrap, *entity)
        assert options == {"retention.ms": "86400000", "cleanup.policy": "compact,delete"}, out
        assert "DYNAMIC_TOPIC_CONFIG:retention.ms=86400000" in out, out
        kafka_configs(bootstrap, "--alter", *entity, "--delete-config", "cleanup.policy")
        everything, out = described(bootstrap, *entity, "--all")
        assert everything["cleanup.policy"] == "delete" and len(everything) > 25, out
        assert everything["retention.ms"] == "86400000"
        assert "retention.m" in refused(bootstrap, "--alter", *entity, "--add-config",
                                        "retention.m=1")
        assert "segment.bytes" in refused(bootstrap, "--alter", *entity, "--add-config",
                                          "segment.bytes=1")


def test_brokers(matrix, bootstrap):
    one = ["--entity-type", "brokers", "--entity-name", "1"]
    every = ["--entity-type", "brokers", "--entity-default"]
    with matrix.tool("kafka-configs", "brokers: one and all, alter, describe, delete, a refusal"):
        kafka_configs(bootstrap, "--alter", *every, "--add-config", "message.max.bytes=900001")
        kafka_configs(bootstrap, "--alter", *one, "--add-config", "message.max.bytes=900002")
        assert described(bootstrap, *every)[0]["message.max.bytes"] == "900001"
        options, out = described(bootstrap, *one)
        assert options["message.max.bytes"] == "900002", out
        assert re.search(r"DYNAMIC_BROKER_CONFIG:message.max.bytes=900002, "
                         r"DYNAMIC_DEFAULT_BROKER_CONFIG:message.max.bytes=900001", out), out
        kafka_configs(bootstrap, "--alter", *one, "--delete-config", "message.max.bytes")
        everything, out = described(bootstrap, *one, "--all")
        assert everything["message.max.bytes"] == "900001", out
        kafka_configs(bootstrap, "--alter", *every, "--delete-config", "message.max.bytes")
        assert "message.max.bytes" not in described(bootstrap, *every)[0]
        assert "node.id" in refused(bootstrap, "--alter", *one, "--add-config", "node.id=7")
