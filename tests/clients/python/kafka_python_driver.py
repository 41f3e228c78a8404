"""The kafka-python client behind the tests' contract."""

import sys
import time

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor

import contract


class Driver:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def about(self, _):
        return {"client": "kafka-python", "version": kafka.__version__,
                "lacks": ["null header values", "records without key and value"]}

    def produce(self, request):
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap,
            acks=request["acks"] if request["acks"] == "all" else int(request["acks"]),
            compression_type=None if request["codec"] == "none" else request["codec"],
            enable_idempotence=request["idempotent"],
            max_request_size=2_000_000,
            linger_ms=5,
            delivery_timeout_ms=60_000,
            max_block_ms=10_000,
        )
        try:
            sent = [
                producer.send(request["topic"], key=key, value=value, headers=headers,
                              partition=partition, timestamp_ms=timestamp)
                for partition, timestamp, key, value, headers in contract.records_of(request)
            ]
            producer.flush(contract.PATIENCE_SECONDS)
            return {"offsets": [future.get(1).offset for future in sent]}
        finally:
            producer.close(1)

    def consume(self, request):
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id=None,
            enable_auto_commit=False,
            max_partition_fetch_bytes=2_000_000,
        )
        try:
            at = TopicPartition(request["topic"], request["partition"])
            consumer.assign([at])
            self._seek(consumer, at, request["start"])
            return {"records": self._take(consumer, at, request["count"])}
        finally:
            consumer.close(autocommit=False)

    @staticmethod
    def _seek(consumer, at, start):
        if start == "beginning":
            consumer.seek_to_beginning(at)
        elif start == "end":
            consumer.seek_to_end(at)
            consumer.position(at)
        elif start.startswith("@"):
            found = consumer.offsets_for_times({at: int(start[1:])})[at]
            consumer.seek_to_end(at) if found is None else consumer.seek(at, found.offset)
        else:
            consumer.seek(at, int(start))

    @staticmethod
    def _take(consumer, at, count):
        taken, deadline = [], time.monotonic() + contract.PATIENCE_SECONDS
        while len(taken) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(taken)} of {count} records came")
            for found in consumer.poll(200, max_records=count - len(taken)).get(at, []):
                taken.append(contract.record(found.offset, found.timestamp, found.key,
                                             found.value, found.headers))
        return taken

    def _admin(self, call):
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            return call(admin)
        finally:
            admin.close()

    def create(self, request):
        topic = NewTopic(request["topic"], num_partitions=request["partitions"],
                         replication_factor=1, topic_configs=request["config"])
        self._admin(lambda admin: admin.create_topics([topic]))

    def describe(self, request):
        found, = self._admin(lambda admin: admin.describe_topics([request["topic"]]))
        if found["error_code"]:
            raise kafka.errors.for_code(found["error_code"])(request["topic"])
        return {"partitions": len(found["partitions"])}

    def config(self, request):
        resource = ConfigResource(ConfigResourceType.TOPIC, request["topic"])
        found = self._admin(lambda a: a.describe_configs([resource], config_filter="all"))
        options = next(iter(found.values()))[request["topic"]]
        return {"config": {name: option["value"] for name, option in options.items()}}

    def alter(self, request):
        resource = ConfigResource(ConfigResourceType.TOPIC, request["topic"], request["config"])
        self._admin(lambda admin: admin.alter_configs([resource]))

    def delete(self, request):
        self._admin(lambda admin: admin.delete_topics([request["topic"]]))

    def metadata(self, request):
        topics = self._admin(lambda admin: admin.describe_topics())
        mine = [topic for topic in topics if topic["name"].startswith(request["prefix"])]
        return {"topics": len(mine), "partitions": sum(len(t["partitions"]) for t in mine)}

    def member(self, request, stop):
        assignor = {"range": RangePartitionAssignor, "cooperative": CooperativeStickyAssignor}
        consumer = KafkaConsumer(
            request["topic"],
            bootstrap_servers=self.bootstrap,
            group_id=request["group"],
            group_instance_id=request.get("instance"),
            partition_assignment_strategy=[assignor[request["strategy"]]],
            session_timeout_ms=request["session_ms"],
            heartbeat_interval_ms=500,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=200,
        )
        told = set()
        while not stop:
            found = consumer.poll(1_000)
            self._join_again(consumer)
            if consumer.assignment() != told:
                told = set(consumer.assignment())
                contract.owned(at.partition for at in told)
            for at, records in found.items():
                contract.records_seen((at.partition, r.offset, r.value) for r in records)
            if found:
                self._commit(consumer)
        consumer.close(autocommit=False)

    @staticmethod
    def _join_again(consumer):
        """A poll that ends while the group is being joined forgets what it is assigned, for good
        (kafka-python 3.0.12): what was joined is never looked at."""
        joined = consumer._coordinator._join_task
        if joined is not None and joined.is_done:
            consumer._coordinator.request_rejoin()

    @staticmethod
    def _commit(consumer):
        try:
            consumer.commit()
        except kafka.errors.CommitFailedError:
            pass  # a new generation began; its owner reads the records again


contract.serve(Driver(sys.argv[1]))
