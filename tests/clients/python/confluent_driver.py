"""librdkafka through confluent-kafka, behind the tests' contract."""

import sys
import time

import confluent_kafka as ck
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource,
                                   NewTopic, ResourceType)

import contract


class Driver:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap})

    def about(self, _):
        version = f"{ck.__version__} (librdkafka {ck.libversion()[0]})"
        return {"client": "confluent-kafka", "version": version, "lacks": []}

    def produce(self, request):
        producer = ck.Producer({
            "bootstrap.servers": self.bootstrap,
            "compression.type": request["codec"],
            "acks": request["acks"],
            "enable.idempotence": request["idempotent"],
            "linger.ms": 5,
            "message.max.bytes": 2_000_000,
            "message.timeout.ms": 60_000,
            "topic.metadata.propagation.max.ms": 3000,
        })
        offsets, errors = [None] * len(request["records"]), []

        def answered(number):
            def note(error, message):
                if error:
                    errors.append(error)
                else:
                    offsets[number] = message.offset()
            return note

        for number, record in enumerate(contract.records_of(request)):
            partition, timestamp, key, value, headers = record
            more = {} if timestamp is None else {"timestamp": timestamp}
            producer.produce(request["topic"], key=key, value=value, partition=partition,
                             headers=headers, on_delivery=answered(number), **more)
        left = producer.flush(contract.PATIENCE_SECONDS)
        if errors or left:
            raise RuntimeError(f"{len(errors)} refused ({errors[:1]}), {left} unanswered")
        return {"offsets": offsets}

    def consume(self, request):
        consumer = ck.Consumer({
            "bootstrap.servers": self.bootstrap,
            "group.id": "assigned-by-hand",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "fetch.message.max.bytes": 2_000_000,
        })
        try:
            offset = self._offset(consumer, request)
            at = ck.TopicPartition(request["topic"], request["partition"], offset)
            consumer.assign([at])
            return {"records": self._take(consumer, request["count"])}
        finally:
            consumer.close()

    @staticmethod
    def _offset(consumer, request):
        start = request["start"]
        if start in ("beginning", "end"):
            return ck.OFFSET_BEGINNING if start == "beginning" else ck.OFFSET_END
        if not start.startswith("@"):
            return int(start)
        when = ck.TopicPartition(request["topic"], request["partition"], int(start[1:]))
        found = consumer.offsets_for_times([when], timeout=20)[0]
        return ck.OFFSET_END if found.offset < 0 else found.offset

    @staticmethod
    def _take(consumer, count):
        taken, deadline = [], time.monotonic() + contract.PATIENCE_SECONDS
        while len(taken) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(taken)} of {count} records came")
            for message in consumer.consume(count - len(taken), timeout=0.5):
                if message.error():
                    raise ck.KafkaException(message.error())
                taken.append(contract.record(message.offset(), message.timestamp()[1],
                                             message.key(), message.value(),
                                             message.headers() or []))
        return taken

    def create(self, request):
        topic = NewTopic(request["topic"], num_partitions=request["partitions"],
                         replication_factor=1, config=request["config"])
        self.admin.create_topics([topic])[request["topic"]].result(30)

    def describe(self, request):
        names = ck.TopicCollection([request["topic"]])
        found = self.admin.describe_topics(names)[request["topic"]].result(30)
        return {"partitions": len(found.partitions)}

    def config(self, request):
        resource = ConfigResource(ResourceType.TOPIC, request["topic"])
        options = self.admin.describe_configs([resource])[resource].result(30)
        return {"config": {name: option.value for name, option in options.items()}}

    def alter(self, request):
        changes = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                   for name, value in request["config"].items()]
        resource = ConfigResource(ResourceType.TOPIC, request["topic"],
                                  incremental_configs=changes)
        self.admin.incremental_alter_configs([resource])[resource].result(30)

    def delete(self, request):
        self.admin.delete_topics([request["topic"]])[request["topic"]].result(30)

    def metadata(self, request):
        topics = self.admin.list_topics(timeout=30).topics
        mine = [t for name, t in topics.items() if name.startswith(request["prefix"])]
        return {"topics": len(mine), "partitions": sum(len(t.partitions) for t in mine)}

    def member(self, request, stop):
        strategy = {"range": "range", "cooperative": "cooperative-sticky"}[request["strategy"]]
        more = {"group.instance.id": request["instance"]} if request.get("instance") else {}
        consumer = ck.Consumer({
            "bootstrap.servers": self.bootstrap,
            "group.id": request["group"],
            "partition.assignment.strategy": strategy,
            "session.timeout.ms": request["session_ms"],
            "heartbeat.interval.ms": 500,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 200,
            **more,
        })
        consumer.subscribe([request["topic"]])
        told = set()
        while not stop:
            messages = consumer.consume(500, timeout=0.1)
            now = {at.partition for at in consumer.assignment()}
            if now != told:
                told = now
                contract.owned(told)
            good = [message for message in messages if message.error() is None]
            if good:
                contract.records_seen((m.partition(), m.offset(), m.value()) for m in good)
                self._commit(consumer)
        consumer.close()

    @staticmethod
    def _commit(consumer):
        try:
            consumer.commit(asynchronous=False)
        except ck.KafkaException:
            pass  # a new generation began; its owner reads the records again


contract.serve(Driver(sys.argv[1]))
