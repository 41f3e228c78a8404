// What every Node client of the tests speaks on standard input and output: one JSON request a line,
// answered by JSON lines of which the last has "done" or "error" (../README.md has the list).
import { createInterface } from 'node:readline'
import { readFileSync } from 'node:fs'

export const PATIENCE_MS = 60_000
const BATCH_BYTES_MAX = 1_000_000

export const text = data => data == null ? null : data.toString('base64')
export const data = text => text == null ? null : Buffer.from(text, 'base64')
export const record = (offset, timestamp, key, value, headers) =>
  [Number(offset), Number(timestamp), text(key), text(value), headers]

export function line(members) {
  process.stdout.write(JSON.stringify(members) + '\n')
}

export function owned(partitions) {
  line({ event: 'owned', partitions: [...partitions].sort((a, b) => a - b) })
}

export function version(name) {
  const place = new URL(`node_modules/${name}/package.json`, import.meta.url)
  return JSON.parse(readFileSync(place)).version
}

// The records of a produce request, in runs that fit into one batch of the broker's default limit.
export function batches(request) {
  const runs = [[]]
  let bytes = 0
  for (const [partition, timestamp, key, value, headers] of request.records) {
    const read = { partition, timestamp, key: data(key), value: data(value), headers }
    const size = (read.key?.length ?? 0) + (read.value?.length ?? 0) + 100
    if (bytes + size > BATCH_BYTES_MAX && runs.at(-1).length > 0) {
      runs.push([])
      bytes = 0
    }
    bytes += size
    runs.at(-1).push(read)
  }
  return runs
}

// The offset of each record of a run, from the first offset that each partition answered.
export function offsets(run, first) {
  const next = new Map(first)
  return run.map(({ partition }) => {
    const offset = next.get(partition)
    next.set(partition, offset + 1)
    return offset ?? null
  })
}

// Rejects when `promise` takes longer than a driver waits for records.
export function patiently(promise, about) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(about() + ' in time')), PATIENCE_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function message(error) {
  const nested = error.errors ?? (error.cause ? [error.cause] : [])
  return [error.name + ': ' + error.message, ...nested.map(message)].join('; ')
}

// Answers standard input until it ends. A client is an object with one async function a request.
export async function serve(client) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  for (;;) {
    const { value, done } = await lines.next()
    if (done) process.exit(0)
    const request = JSON.parse(value)
    try {
      if (request.op === 'member') {
        await client.member(request, lines.next())
        line({ event: 'left' })
        process.exit(0)
      }
      line({ ...await client[request.op](request), done: true })
    } catch (error) {
      line({ error: message(error) })
    }
  }
}
