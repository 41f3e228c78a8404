"""kafka-consumer-groups and the tools around topics, as an operator uses them on an ordinary day."""

import json
import re

import confluent_kafka as ck
import pytest

from conftest import new_name
from drivers import java_tool
from members import wait_until
from records import Record

FIRST_MS = 1_700_000_000_000
GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


@pytest.fixture(scope="module")
def group(hand):
    """A topic with a hundred records, a second apart, and an empty group that has read forty."""
    name = new_name()
    # The records are old; retention must not take them.
    hand.create(name, config={"retention.ms": "-1"})
    hand.produce(name, [Record(b"k", b"%d" % n, timestamp_ms=FIRST_MS + 1000 * n)
                        for n in range(100)])
    hand.commit(name, name, 40)
    return name


def groups(bootstrap, *arguments):
    return java_tool(GROUPS, ["--bootstrap-server", bootstrap, *arguments])


def test_groups_are_listed_and_described(matrix, bootstrap, group):
    with matrix.tool("kafka-consumer-groups", "list, describe, state"):
        assert group in groups(bootstrap, "--list").split()
        out = groups(bootstrap, "--describe", "--group", group)
        assert re.search(rf"{group}\s+{group}\s+0\s+40\s+100\s+60", out), out
        state = groups(bootstrap, "--describe", "--group", group, "--state")
        assert re.search(rf"{group}\s.*Empty\s+0", state), state


def test_members_are_described(matrix, bootstrap, hand, group):
    with matrix.tool("kafka-consumer-groups", "describe the members"):
        member = ck.Consumer({"bootstrap.servers": bootstrap, "group.id": f"{group}-live",
                              "client.id": "one-of-us"})
        member.subscribe([group])
        try:
            wait_until("no assignment", lambda: (member.poll(0.1), member.assignment())[1])
            out = groups(bootstrap, "--describe", "--group", f"{group}-live", "--members",
                         "--verbose")
            assert re.search(rf"one-of-us.*\b1\s.*{group}\(0\)|one-of-us.*{group}:0", out), out
        finally:
            member.close()


RESETS = {
    "--to-earliest": ([], 0),
    "--to-latest": ([], 100),
    "--to-current": ([], None),
    "--to-offset": (["17"], 17),
    "--shift-by": (["-7"], 10),
    "--to-datetime": (["2023-11-14T22:13:45.000Z"], 25),
    "--by-duration": (["P1D"], 100),
}


def test_offsets_are_reset_every_way(matrix, bootstrap, hand, group, tmp_path):
    expected = hand.committed(group, group, 1)
    for option, (argument, offset) in RESETS.items():
        with matrix.tool("kafka-consumer-groups", f"reset-offsets {option}"):
            out = groups(bootstrap, "--reset-offsets", "--group", group, "--topic", group, option,
                         *argument, "--execute")
            expected = expected if offset is None else offset
            assert re.search(rf"{group}\s+{group}\s+0\s+{expected}\b", out), f"{option}: {out}"
            assert hand.committed(group, group, 1) == expected, option
    with matrix.tool("kafka-consumer-groups", "reset-offsets --all-topics, --topic T:0, --all-groups"):
        for scope, offset in [(["--group", group, "--all-topics"], 21),
                              (["--group", group, "--topic", f"{group}:0"], 22),
                              (["--all-groups", "--topic", group], 23)]:
            groups(bootstrap, "--reset-offsets", *scope, "--to-offset", str(offset), "--execute")
            assert hand.committed(group, group, 1) == offset, scope
        expected = 23
    with matrix.tool("kafka-consumer-groups", "reset-offsets --dry-run, --export"):
        out = groups(bootstrap, "--reset-offsets", "--group", group, "--topic", group,
                     "--to-offset", "33", "--dry-run", "--export")
        assert f"{group},0,33" in out, out
        assert hand.committed(group, group, 1) == expected
    with matrix.tool("kafka-consumer-groups", "reset-offsets --from-file"):
        plan = tmp_path / "plan.csv"
        plan.write_text(f"{group},0,61\n")
        groups(bootstrap, "--reset-offsets", "--group", group, "--from-file", str(plan),
               "--execute")
        assert hand.committed(group, group, 1) == 61


def test_offsets_and_groups_are_deleted(matrix, bootstrap, hand):
    name = new_name()
    hand.create(name)
    hand.produce(name, [Record(b"k", b"v")] * 5)
    with matrix.tool("kafka-consumer-groups", "delete-offsets, delete"):
        hand.commit(name, name, 5)
        groups(bootstrap, "--delete-offsets", "--group", name, "--topic", name)
        assert hand.committed(name, name, 1) == 0
        hand.commit(name, name, 5)
        groups(bootstrap, "--delete", "--group", name)
        assert name not in groups(bootstrap, "--list").split()


def test_topics_and_offsets(matrix, bootstrap, hand, tmp_path):
    name = new_name()
    with matrix.tool("kafka-topics", "create, describe, list, add partitions, delete"):
        topics = ["org.apache.kafka.tools.TopicCommand", ["--bootstrap-server", bootstrap]]
        run = lambda *more: java_tool(topics[0], [*topics[1], *more])
        run("--create", "--topic", name, "--partitions", "3", "--config", "retention.ms=99000")
        assert re.search(r"PartitionCount:\s*3.*retention.ms=99000", run("--describe", "--topic", name))
        run("--alter", "--topic", name, "--partitions", "5")
        assert re.search(r"PartitionCount:\s*5", run("--describe", "--topic", name))
        assert name in run("--list").split()
    hand.produce(name, [Record(b"k", b"v", partition=4)] * 12)
    with matrix.tool("kafka-get-offsets", "latest and earliest"):
        offsets = lambda time: java_tool("org.apache.kafka.tools.GetOffsetShell", [
            "--bootstrap-server", bootstrap, "--topic", name, "--time", time]).split()
        assert f"{name}:4:12" in offsets("latest") and f"{name}:4:0" in offsets("earliest")
    with matrix.tool("kafka-delete-records", "before an offset"):
        plan = tmp_path / "plan.json"
        plan.write_text('{"version": 1, "partitions": [{"topic": "%s", "partition": 4, "offset": 7}]}'
                        % name)
        java_tool("org.apache.kafka.tools.DeleteRecordsCommand", [
            "--bootstrap-server", bootstrap, "--offset-json-file", str(plan)])
        assert f"{name}:4:7" in offsets("earliest")
    run("--delete", "--topic", name)
    assert name not in run("--list").split()


def test_consumer_perf_test_reads_as_a_group(matrix, bootstrap, hand):
    name = new_name()
    hand.create(name, partitions=3)
    hand.produce(name, [Record(b"k", b"x" * 100, partition=n % 3) for n in range(30_000)])
    with matrix.tool("kafka-consumer-perf-test", "30,000 records as a group"):
        out = java_tool("org.apache.kafka.tools.ConsumerPerformance", [
            "--bootstrap-server", bootstrap, "--topic", name, "--num-records", "30000",
            "--timeout", "60000"])
        assert re.search(r", 30000, ", out), out
    with matrix.tool("kafka-verifiable-consumer", "30,000 records as a group"):
        out = java_tool("org.apache.kafka.tools.VerifiableConsumer", [
            "--bootstrap-server", bootstrap, "--topic", name, "--group-id", f"verifiable-{name}",
            "--max-messages", "30000", "--reset-policy", "earliest"])
        events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        read = sum(e["count"] for e in events if e["name"] == "records_consumed")
        assert read == 30_000, out[-500:]
