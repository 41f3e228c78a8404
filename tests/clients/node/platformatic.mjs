// The @platformatic/kafka client behind the tests' contract.
import {
  Admin, ConfigResourceTypes, Consumer, IncrementalAlterConfigOperationTypes, ListOffsetTimestamps,
  MessagesStreamFallbackModes, MessagesStreamModes, Producer
} from '@platformatic/kafka'

import { batches, data, line, offsets, owned, patiently, record, serve, text, version } from './contract.mjs'

const common = { clientId: 'tests', bootstrapBrokers: [process.argv[2]], retries: 5, retryDelay: 100 }
const acks = { 0: 0, 1: 1, all: -1 }
let groups = 0

async function using(client, call) {
  try {
    return await call(client)
  } finally {
    // A consumer with an open stream closes by force; the others take no such word.
    await (client instanceof Consumer ? client.close(true) : client.close())
  }
}

async function produce(request) {
  const producer = new Producer({ ...common, autocreateTopics: true })
  return using(producer, async () => {
    const answered = []
    for (const run of batches(request)) {
      const { offsets: first } = await producer.send({
        acks: acks[request.acks],
        compression: request.codec,
        idempotent: request.idempotent,
        messages: run.map(({ partition, timestamp, key, value, headers }) => ({
          topic: request.topic,
          partition,
          key,
          value,
          timestamp: timestamp === null ? undefined : BigInt(timestamp),
          headers: new Map(headers.map(([name, value]) => [Buffer.from(name), data(value)]))
        }))
      })
      answered.push(...offsets(run, (first ?? []).map(o => [o.partition, Number(o.offset)])))
    }
    return { offsets: answered }
  })
}

// Reads as the only member of a group of its own, from offsets that are given by hand.
async function consume(request) {
  const groupId = `platformatic-${process.pid}-${Date.now()}-${groups++}`
  const consumer = new Consumer({ ...common, groupId, maxWaitTime: 200 })
  return using(consumer, async () => {
    const stream = await consumer.consume({
      topics: [request.topic],
      mode: MessagesStreamModes.MANUAL,
      offsets: await starts(consumer, request),
      autocommit: false,
      maxBytesPerPartition: 2_000_000
    })
    const taken = []
    await patiently((async () => {
      for await (const { partition, offset, timestamp, key, value, headerEntries } of stream) {
        if (partition !== request.partition) continue
        const headers = headerEntries.map(([name, value]) => [name.toString(), text(value)])
        taken.push(record(offset, timestamp, key, value, headers))
        if (taken.length === request.count) break
      }
    })(), () => `${taken.length} of ${request.count} records came`)
    return { records: taken }
  })
}

async function starts(consumer, { topic, partition, start }) {
  const at = async timestamp => (await consumer.listOffsets({ topics: [topic], timestamp })).get(topic)
  const ends = await at(ListOffsetTimestamps.LATEST)
  let offset = /^[0-9]+$/.test(start) ? BigInt(start) : ends[partition]
  if (start === 'beginning') offset = (await at(ListOffsetTimestamps.EARLIEST))[partition]
  if (start.startsWith('@')) {
    const found = (await at(BigInt(start.slice(1))))[partition]
    offset = found < 0n ? offset : found
  }
  return ends.map((end, one) => ({ topic, partition: one, offset: one === partition ? offset : end }))
}

const admin = call => using(new Admin(common), call)

async function create({ topic, partitions, config }) {
  const configs = Object.entries(config).map(([name, value]) => ({ name, value }))
  await admin(admin => admin.createTopics({ topics: [topic], partitions, replicas: 1, configs }))
}

async function describe({ topic }) {
  const found = await admin(admin => admin.metadata({ topics: [topic], autocreateTopics: false, forceUpdate: true }))
  return { partitions: found.topics.get(topic).partitionsCount }
}

async function config({ topic }) {
  const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }]
  const [found] = await admin(admin => admin.describeConfigs({ resources }))
  return { config: Object.fromEntries(found.configs.map(({ name, value }) => [name, value])) }
}

async function alter({ topic, config }) {
  const configs = Object.entries(config).map(([name, value]) =>
    ({ name, value, configOperation: IncrementalAlterConfigOperationTypes.SET }))
  const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }]
  await admin(admin => admin.incrementalAlterConfigs({ resources }))
}

async function remove({ topic }) {
  await admin(admin => admin.deleteTopics({ topics: [topic] }))
}

async function metadata({ prefix }) {
  return admin(async admin => {
    const names = (await admin.listTopics()).filter(name => name.startsWith(prefix))
    const { topics } = await admin.metadata({ topics: names, forceUpdate: true })
    return { topics: topics.size, partitions: [...topics.values()].reduce((n, t) => n + t.partitionsCount, 0) }
  })
}

// After each join the stream asks for the committed offsets and goes back to them, also in partitions that
// it keeps and reads meanwhile: only behind that nothing comes twice. A join while it asks makes it ask again.
function tellOwned(consumer, stream) {
  let asking = true
  let again = false
  consumer.on('consumer:group:join', () => {
    again = asking
    asking = true
  })
  stream.on('offsets', () => {
    asking = again
    again = false
    if (!asking) owned((consumer.assignments ?? []).flatMap(({ partitions }) => partitions))
  })
}

async function member(request, stopped) {
  const consumer = new Consumer({
    ...common,
    // Enough to outlast a broker that is away, or a coordinator that is loading.
    retries: 100,
    retryDelay: 250,
    groupId: request.group,
    groupInstanceId: request.instance,
    sessionTimeout: request.session_ms,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 500,
    maxWaitTime: 200,
    autocommit: false
  })
  const stream = await consumer.consume({
    topics: [request.topic],
    mode: MessagesStreamModes.COMMITTED,
    fallbackMode: MessagesStreamFallbackModes.EARLIEST
  })
  tellOwned(consumer, stream)
  stopped.then(() => stream.close())
  for await (const message of stream) {
    const { partition, offset, value } = message
    line({ event: 'records', records: [[partition, Number(offset), value.toString()]] })
    await message.commit()
  }
  await consumer.close(true)
}

const about = async () => ({
  client: '@platformatic/kafka', version: version('@platformatic/kafka'), lacks: ['cooperative rebalance', 'LogAppendTime']
})

await serve({ about, produce, consume, create, describe, config, alter, delete: remove, metadata, member })
