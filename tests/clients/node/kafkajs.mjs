// The kafkajs client behind the tests' contract.
import zlib from 'node:zlib'
import kafkajs from 'kafkajs'
import SnappyCodec from 'kafkajs-snappy'
import { compressFrame, decompressFrame } from 'lz4-napi'

import { batches, data, line, offsets, owned, patiently, record, serve, text, version } from './contract.mjs'

const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs

// kafkajs brings gzip alone; the others are plugged in the way that it documents.
CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: encoder => compressFrame(encoder.buffer),
  decompress: buffer => decompressFrame(buffer)
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async encoder => zlib.zstdCompressSync(encoder.buffer),
  decompress: async buffer => zlib.zstdDecompressSync(buffer)
})

const kafka = new Kafka({
  clientId: 'tests',
  brokers: [process.argv[2]],
  logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 50, retries: 8 }
})

const codecs = { none: 'None', gzip: 'GZIP', snappy: 'Snappy', lz4: 'LZ4', zstd: 'ZSTD' }
const acks = { 0: 0, 1: 1, all: -1 }
let groups = 0

// kafkajs takes headers as an object, a name with several values as a list.
function headersOf(pairs) {
  const headers = {}
  for (const [name, value] of pairs) {
    const list = headers[name] ??= []
    list.push(data(value))
  }
  return headers
}

function pairsOf(headers) {
  return Object.entries(headers ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(one => [name, text(one)]))
}

async function produce(request) {
  const producer = kafka.producer({
    idempotent: request.idempotent,
    maxInFlightRequests: request.idempotent ? 1 : undefined,
    createPartitioner: () => ({ message }) => message.partition
  })
  await producer.connect()
  try {
    const answered = []
    for (const run of batches(request)) {
      const metadata = await producer.send({
        topic: request.topic,
        acks: acks[request.acks],
        compression: CompressionTypes[codecs[request.codec]],
        messages: run.map(({ partition, timestamp, key, value, headers }) => ({
          partition, key, value, headers: headersOf(headers), timestamp: timestamp?.toString()
        }))
      })
      const first = metadata.map(m => [m.partition, Number(m.baseOffset)])
      answered.push(...offsets(run, first))
    }
    return { offsets: answered }
  } finally {
    await producer.disconnect()
  }
}

// kafkajs reads as a member of a group only, so each read has a group of its own.
async function consume(request) {
  const from = await start(request)
  const groupId = `kafkajs-${process.pid}-${Date.now()}-${groups++}`
  const consumer = kafka.consumer({ groupId, maxBytesPerPartition: 2_000_000, maxWaitTimeInMs: 200 })
  await consumer.connect()
  const taken = []
  try {
    await consumer.subscribe({ topic: request.topic, fromBeginning: true })
    await patiently(new Promise((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
      consumer.run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          if (partition !== request.partition || Number(message.offset) < from) return
          if (taken.length < request.count) {
            taken.push(record(message.offset, message.timestamp, message.key, message.value,
              pairsOf(message.headers)))
          }
          if (taken.length === request.count) resolve()
        }
      }).catch(reject)
      consumer.seek({ topic: request.topic, partition: request.partition, offset: `${from}` })
    }), () => `${taken.length} of ${request.count} records came`)
  } finally {
    await consumer.disconnect()
  }
  return { records: taken }
}

async function start({ topic, partition, start }) {
  if (/^[0-9]+$/.test(start)) return Number(start)
  const found = await admin(admin => start.startsWith('@')
    ? admin.fetchTopicOffsetsByTimestamp(topic, Number(start.slice(1)))
    : admin.fetchTopicOffsets(topic))
  const mine = found.find(one => one.partition === partition)
  return Number(start === 'beginning' ? mine.low : start === 'end' ? mine.high : mine.offset)
}

async function admin(call) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await call(admin)
  } finally {
    await admin.disconnect()
  }
}

const entries = config => Object.entries(config).map(([name, value]) => ({ name, value }))

async function create({ topic, partitions, config }) {
  const topics = [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries: entries(config) }]
  const made = await admin(admin => admin.createTopics({ topics, waitForLeaders: false }))
  if (!made) throw new Error(`the topic ${topic} exists`)
}

async function describe({ topic }) {
  const { topics } = await admin(admin => admin.fetchTopicMetadata({ topics: [topic] }))
  return { partitions: topics[0].partitions.length }
}

const resource = (topic, more) => ({ type: ConfigResourceTypes.TOPIC, name: topic, ...more })

async function config({ topic }) {
  const { resources } = await admin(admin => admin.describeConfigs({ resources: [resource(topic)] }))
  return {
    config: Object.fromEntries(resources[0].configEntries.map(e => [e.configName, e.configValue]))
  }
}

async function alter({ topic, config }) {
  const resources = [resource(topic, { configEntries: entries(config) })]
  await admin(admin => admin.alterConfigs({ resources }))
}

async function remove({ topic }) {
  await admin(admin => admin.deleteTopics({ topics: [topic] }))
}

async function metadata({ prefix }) {
  const { topics } = await admin(admin => admin.fetchTopicMetadata())
  const mine = topics.filter(({ name }) => name.startsWith(prefix))
  return { topics: mine.length, partitions: mine.reduce((sum, t) => sum + t.partitions.length, 0) }
}

async function member(request, stopped) {
  const consumer = kafka.consumer({
    groupId: request.group,
    sessionTimeout: request.session_ms,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 500,
    maxWaitTimeInMs: 200
  })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) =>
    owned(payload.memberAssignment[request.topic] ?? []))
  await consumer.connect()
  await consumer.subscribe({ topic: request.topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch, isRunning, isStale }) => {
      if (!isRunning() || isStale()) return
      const records = batch.messages.map(m => [batch.partition, Number(m.offset), m.value.toString()])
      line({ event: 'records', records })
      const offset = `${records.at(-1)[1] + 1}`
      const { topic, partition } = batch
      await consumer.commitOffsets([{ topic, partition, offset }])
    }
  })
  await stopped
  await consumer.disconnect()
}

const about = async () => ({
  client: 'kafkajs', version: version('kafkajs'), lacks: ['cooperative rebalance', 'null header values', 'static members']
})

await serve({ about, produce, consume, create, describe, config, alter, delete: remove, metadata, member })
