import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Local, startLocal } from '@org/kinesis-local'
import { afterEach, describe, expect, it } from 'vitest'
import { holds, produce, startProduce } from './produce-process.js'
import { storedIn } from './stored-records.js'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function aService(options: NonNullable<Parameters<typeof startLocal>[0]> & { shards?: number } = {}) {
  const { shards = 2, ...rest } = options
  const local = await startLocal({ streams: [{ name: 'events', shards }], shardLimits: false, ...rest })
  cleanups.push(() => local.close())
  return local
}

const to = (local: Local) => ['--stream-name', 'events', '--endpoint-url', local.url, '--json']

function* numbered(count: number, lineOf = (index: number) => `line ${index}\n`) {
  for (let index = 0; index < count; index++) yield lineOf(index)
}

/** Writes slowly enough that not all is read before the first of it is sent. */
function trickle(lineOf: (index: number) => string, everyMs = 5): Readable {
  let index = 0
  return new Readable({
    read() {
      setTimeout(() => this.push(lineOf(index++)), everyMs)
    },
  })
}

describe('the flow through kinesis-produce', () => {
  it('keeps the asked rate on average, whatever the latency', async () => {
    const local = await aService()

    const { status, stdout } = await produce([...to(local), '--rate', '400'], {
      input: Readable.from(numbered(1_001)),
    })

    const { delivered, seconds } = JSON.parse(stdout)
    expect(status).toBe(0)
    expect(delivered).toBe(1_001)
    // One is due at once, and a thousand more in two and a half seconds.
    expect(seconds).toBeGreaterThanOrEqual(2.5)
    expect(seconds).toBeLessThan(5)
  })

  it('keeps the order of each key through failures of some records of a request', async () => {
    const local = await aService({
      faults: ({ operation, number }) =>
        operation === 'PutRecords' && number % 3 === 0 ? { kind: 'partial', fraction: 0.3 } : undefined,
    })
    const lines = numbered(3_000, (index) => `{"k":"key-${index % 40}","n":${index}}\n`)

    const { status, stdout } = await produce(
      [...to(local), '--format', 'ndjson', '--partition-key', 'k', '--ordering', 'per-key'],
      { input: Readable.from(lines) },
    )

    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ delivered: 3_000, failed: 0 })
    const last = new Map<string, number>()
    for (const { partitionKey, data } of await storedIn(local, 'events')) {
      const { n } = JSON.parse(data)
      expect(n).toBeGreaterThan(last.get(partitionKey) ?? -1)
      last.set(partitionKey, n)
    }
    expect(last.size).toBe(40)
  })

  it('takes 100,000 lines of a pipe in bounded memory', async () => {
    const local = await aService({ shards: 64 })
    const text = 'x'.repeat(200)

    const { child, ended } = startProduce([...to(local), '--format', 'ndjson', '--partition-key', 'k'], {
      input: Readable.from(numbered(100_000, (index) => `{"k":${index},"text":"${text}"}\n`)),
      env: { NODE_OPTIONS: '--max-old-space-size=64' },
    })
    let peakKiB = 0
    const watch = setInterval(() => {
      peakKiB = Math.max(peakKiB, peakMemoryKiB(child.pid!) ?? 0)
    }, 100)
    const { status, stdout } = await ended
    clearInterval(watch)

    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ read: 100_000, delivered: 100_000 })
    expect(peakKiB).toBeLessThan(300 * 1_024)
  }, 120_000)

  it('reads no further ahead of the stream than is soon drained', async () => {
    const local = await aService({
      faults: ({ operation }) =>
        operation === 'PutRecords' ? { kind: 'stall', delayMs: 60_000 } : undefined,
    })
    let takenBytes = 0
    const endless = (function* () {
      for (;;) {
        takenBytes += 65_536
        yield `${'x'.repeat(1_023)}\n`.repeat(64)
      }
    })()
    const { child, ended } = startProduce(to(local), { input: Readable.from(endless) })

    await expect.poll(() => takenBytes).toBeGreaterThan(1_000_000)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    child.kill('SIGKILL')
    await ended

    // Two seconds of two shards, and the buffers of the pipe.
    expect(takenBytes).toBeLessThan(10_000_000)
  })

  it('refuses a line without end with its size, keeps nothing of it, and goes on behind it', async () => {
    const local = await aService()
    const input = Readable.from(
      (function* () {
        yield 'first\n'
        for (let chunk = 0; chunk < 300; chunk++) yield Buffer.alloc(1_048_576, 'x')
        yield '\nlast\n'
      })(),
    )

    const { status, stdout, stderr } = await produce([...to(local)], {
      input,
      env: { NODE_OPTIONS: '--max-old-space-size=64' },
    })

    expect(status).toBe(1)
    expect(stderr).toMatch(
      /^kinesis-produce: standard input, line 2: it has 314,572,800 bytes, and a record with its key holds 1,048,576 \(--max-record-bytes\)\. It begins: x+…\n$/,
    )
    expect(JSON.parse(stdout)).toMatchObject({ read: 3, delivered: 2, refused: 1 })
  })

  it('takes records as large as the stream does', async () => {
    const local = await aService()
    local.kinesis.call('UpdateMaxRecordSize', {
      StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
      MaxRecordSizeInKiB: 2_048,
    })

    const { status } = await produce(to(local), { input: 'x'.repeat(2_000_000) })

    expect(status).toBe(0)
    expect((await storedIn(local, 'events'))[0]!.data).toHaveLength(2_000_000)
  })

  it('waits with a record that is larger than the room for it, and does not call it failed', async () => {
    const local = await aService({
      shards: 1,
      faults: ({ operation }) => (operation === 'PutRecords' ? { kind: 'stall', delayMs: 500 } : undefined),
    })
    // The first leaves half of two seconds of a shard, within the 512 bytes that a record costs beside its data and key.
    const lines = ['x'.repeat(2 ** 20 - 612), 'y'.repeat(2 ** 20 - 20)]

    const { status, stdout } = await produce(to(local), { input: lines.join('\n') })

    expect(JSON.parse(stdout)).toMatchObject({ read: 2, delivered: 2, failed: 0, refused: 0 })
    expect(status).toBe(0)
  })

  it('sends lines as they come, while the pipe stays open', async () => {
    const local = await aService()
    const { child, ended } = startProduce(to(local), { input: 'open' })

    child.stdin!.write('one\n')
    await holds(local, 'events', 1)
    child.stdin!.end('two\n')

    expect((await ended).status).toBe(0)
    await holds(local, 'events', 2)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('delivers what it read of a pipe on %s', async (signal) => {
    const local = await aService()
    const { child, ended } = startProduce(to(local), {
      input: trickle((index) => `line ${index}\n`.repeat(100)),
    })
    await holds(local, 'events', 300)

    child.kill(signal)

    const { status, stdout, stderr } = await ended
    const summary = JSON.parse(stdout)
    expect(status).toBe(130)
    expect(stderr).toBe('')
    expect(summary).toMatchObject({ failed: 0, unsettled: 0, interrupted: true })
    expect(summary.delivered).toBe(summary.read)
    expect(await storedIn(local, 'events')).toHaveLength(summary.read)
  })

  it('leaves a file where it is on Ctrl-C: what it did not send can be read again', async () => {
    const local = await aService()
    const folder = await mkdtemp(join(tmpdir(), 'kinesis-produce-test-'))
    cleanups.push(() => rm(folder, { recursive: true }))
    const file = join(folder, 'events.log')
    await writeFile(file, [...numbered(10_000)].join(''))
    const { child, ended } = startProduce([...to(local), '--rate', '100', file], { input: 'open' })
    await holds(local, 'events', 10)

    child.kill('SIGINT')

    const summary = JSON.parse((await ended).stdout)
    expect(summary.read).toBeLessThan(1_000)
    expect(summary.delivered).toBe(summary.read)
  })

  it('gives up at once on a second Ctrl-C, and says what was on its way', async () => {
    let puts = 0
    const local = await aService({
      faults: ({ operation }) => {
        if (operation !== 'PutRecords') return undefined
        puts += 1
        return { kind: 'stall', delayMs: 60_000 }
      },
    })
    const { child, ended } = startProduce(to(local), { input: trickle(() => 'line\n') })
    await expect.poll(() => puts).toBeGreaterThan(0)

    child.kill('SIGINT')
    // Two signals that a busy process has not seen yet are one to it.
    const again = setInterval(() => child.kill('SIGINT'), 300)

    const { status, stdout } = await ended
    clearInterval(again)
    const summary = JSON.parse(stdout)
    expect(status).toBe(130)
    expect(summary.unsettled).toBeGreaterThan(0)
    expect(summary.unsettled).toBe(summary.read)
  })

  it('delivers all the same where nobody reads what it says, and where standard input is closed', async () => {
    const local = await aService()
    const { child, ended } = startProduce(to(local), { input: 'open' })
    child.stdout!.destroy()
    child.stderr!.destroy()
    child.stdin!.end('{no\none\n')
    await ended

    await holds(local, 'events', 2)
  })

  it('fails a file that is not packed as its name says, after what came before it', async () => {
    const local = await aService()
    const folder = await mkdtemp(join(tmpdir(), 'kinesis-produce-test-'))
    cleanups.push(() => rm(folder, { recursive: true }))
    const [good, bad] = [join(folder, 'good.log'), join(folder, 'bad.gz')]
    await writeFile(good, 'one\n')
    await writeFile(bad, 'two\n')

    const { status, stdout, stderr } = await produce([...to(local), good, bad])

    expect(status).toBe(1)
    expect(stderr).toMatch(/bad\.gz cannot be read to its end \(incorrect header check\)/)
    expect(JSON.parse(stdout)).toMatchObject({ read: 1, delivered: 1 })
  })
})

/** The most that a process has had in memory; undefined where the system does not tell, or the process has ended. */
function peakMemoryKiB(pid: number): number | undefined {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}
