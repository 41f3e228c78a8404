"""The aiokafka client behind the tests' contract."""

import asyncio
import sys

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, for_code

import contract


def check(code, about):
    if code:
        raise for_code(code)(about)


class Driver:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def about(self, _):
        return {"client": "aiokafka", "version": aiokafka.__version__,
                "lacks": ["cooperative rebalance", "records without key and value"]}

    def produce(self, request):
        return {"offsets": asyncio.run(self._produce(request))}

    async def _produce(self, request):
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            acks=request["acks"] if request["acks"] == "all" else int(request["acks"]),
            compression_type=None if request["codec"] == "none" else request["codec"],
            enable_idempotence=request["idempotent"],
            max_request_size=2_000_000,
            linger_ms=5,
            request_timeout_ms=10_000,
        )
        await producer.start()
        try:
            sent = [
                await producer.send(request["topic"], key=key, value=value, headers=headers,
                                    partition=partition, timestamp_ms=timestamp)
                for partition, timestamp, key, value, headers in contract.records_of(request)
            ]
            answers = await asyncio.wait_for(asyncio.gather(*sent), contract.PATIENCE_SECONDS)
        finally:
            await producer.stop()
        return [None if answer is None else answer.offset for answer in answers]

    def consume(self, request):
        taking = asyncio.wait_for(self._consume(request), contract.PATIENCE_SECONDS)
        return {"records": asyncio.run(taking)}

    async def _consume(self, request):
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False,
                                    max_partition_fetch_bytes=2_000_000)
        await consumer.start()
        try:
            at = TopicPartition(request["topic"], request["partition"])
            consumer.assign([at])
            await self._seek(consumer, at, request["start"])
            taken = []
            while len(taken) < request["count"]:
                more = await consumer.getmany(at, timeout_ms=500,
                                              max_records=request["count"] - len(taken))
                taken += (contract.record(r.offset, r.timestamp, r.key, r.value, r.headers)
                          for r in more.get(at, []))
            return taken
        finally:
            await consumer.stop()

    @staticmethod
    async def _seek(consumer, at, start):
        if start == "beginning":
            await consumer.seek_to_beginning(at)
        elif start == "end":
            await consumer.seek_to_end(at)
        elif start.startswith("@"):
            found = (await consumer.offsets_for_times({at: int(start[1:])}))[at]
            if found is None:
                await consumer.seek_to_end(at)
            else:
                consumer.seek(at, found.offset)
        else:
            consumer.seek(at, int(start))

    def _admin(self, call):
        async def run():
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            try:
                return await call(admin)
            finally:
                await admin.close()
        return asyncio.run(asyncio.wait_for(run(), contract.PATIENCE_SECONDS))

    def create(self, request):
        topic = NewTopic(request["topic"], request["partitions"], 1,
                         topic_configs=request["config"])
        answer = self._admin(lambda admin: admin.create_topics([topic]))
        for name, code, *_ in answer.topic_errors:
            check(code, name)

    def describe(self, request):
        found, = self._admin(lambda admin: admin.describe_topics([request["topic"]]))
        check(found["error_code"], request["topic"])
        return {"partitions": len(found["partitions"])}

    def config(self, request):
        resource = ConfigResource(ConfigResourceType.TOPIC, request["topic"])
        answer, = self._admin(lambda admin: admin.describe_configs([resource]))
        (code, _, _, name, options), = answer.resources
        check(code, name)
        return {"config": {option[0]: option[1] for option in options}}

    def alter(self, request):
        resource = ConfigResource(ConfigResourceType.TOPIC, request["topic"], request["config"])
        answer, = self._admin(lambda admin: admin.alter_configs([resource]))
        for code, _, _, name in answer.resources:
            check(code, name)

    def delete(self, request):
        answer = self._admin(lambda admin: admin.delete_topics([request["topic"]]))
        for name, code in answer.topic_error_codes:
            check(code, name)

    def metadata(self, request):
        topics = self._admin(lambda admin: admin.describe_topics())
        mine = [topic for topic in topics if topic["topic"].startswith(request["prefix"])]
        return {"topics": len(mine), "partitions": sum(len(t["partitions"]) for t in mine)}

    def member(self, request, stop):
        asyncio.run(self._member(request, stop))

    async def _member(self, request, stop):
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id=request["group"],
            group_instance_id=request.get("instance"),
            partition_assignment_strategy=[RangePartitionAssignor],
            session_timeout_ms=request["session_ms"],
            heartbeat_interval_ms=500,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=200,
        )
        consumer.subscribe([request["topic"]], listener=Listener())
        await consumer.start()
        while not stop:
            found = await consumer.getmany(timeout_ms=200)
            for at, records in found.items():
                contract.records_seen((at.partition, r.offset, r.value) for r in records)
            if found:
                try:
                    await consumer.commit()
                except (CommitFailedError, IllegalStateError):
                    pass  # a new generation began; its owner reads the records again
        await consumer.stop()


class Listener(ConsumerRebalanceListener):
    """Tells what the member has, after each change."""

    def on_partitions_revoked(self, revoked):
        contract.owned([])

    def on_partitions_assigned(self, assigned):
        contract.owned(at.partition for at in assigned)


contract.serve(Driver(sys.argv[1]))
