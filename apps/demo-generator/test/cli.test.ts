import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { type Local, startLocal } from '@org/kinesis-local'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
const accessLog =
  process.env.APACHE_ACCESS_LOG ??
  fileURLToPath(new URL('../../../../shared/data/apache_access.log', import.meta.url))

let local: Local
const folder = mkdtempSync(join(tmpdir(), 'demo-generator-test-'))
let streams = 0

beforeAll(async () => {
  local = await startLocal({ shardLimits: false })
})

afterAll(async () => {
  await local.close()
  rmSync(folder, { recursive: true, force: true })
})

function createStream(shards = 2): string {
  const name = `stream-${streams++}`
  local.kinesis.call('CreateStream', { StreamName: name, ShardCount: shards })
  return name
}

interface StoredRecord {
  SequenceNumber: string
  PartitionKey: string
  Data: Uint8Array
}

/** What the stream really holds, past the wire. */
async function readStream(name: string): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  for (const shard of ['shardId-000000000000', 'shardId-000000000001']) {
    let { ShardIterator: iterator } = (await local.kinesis.call('GetShardIterator', {
      StreamName: name,
      ShardId: shard,
      ShardIteratorType: 'TRIM_HORIZON',
    })) as { ShardIterator: string }
    for (;;) {
      const page = (await local.kinesis.call('GetRecords', { ShardIterator: iterator })) as {
        Records: StoredRecord[]
        NextShardIterator: string
      }
      if (page.Records.length === 0) break
      records.push(...page.Records)
      iterator = page.NextShardIterator
    }
  }
  return records
}

interface Result {
  status: number | null
  stdout: string
  stderr: string
}

function run(
  args: string[],
  options: { input?: string | Readable; env?: NodeJS.ProcessEnv } = {},
): Promise<Result> {
  const env = { PATH: process.env.PATH, AWS_EC2_METADATA_DISABLED: 'true', ...options.env }
  const child = spawn(process.execPath, [cli, ...args], { env })
  const source =
    typeof options.input === 'string' ? Readable.from([options.input]) : (options.input ?? Readable.from([]))
  // A child that ends early closes its end of the pipe.
  void pipeline(source, child.stdin).catch(() => {})
  const result: Result = { status: null, stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    result.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    result.stderr += text
  })
  return new Promise((resolve) => child.once('close', (status) => resolve({ ...result, status })))
}

/** A busy machine takes longer, at the end most of all; what counts is that nothing went out too early, or at the recorded pace. */
function expectPaced(stdout: string, events: number, seconds: number, tooSlow: number) {
  const [, count, took] = /^(\d+) events delivered in ([\d.]+) s/.exec(stdout) ?? []
  expect(Number(count)).toBe(events)
  expect(Number(took)).toBeGreaterThanOrEqual(seconds)
  expect(Number(took)).toBeLessThan(tooSlow)
}

const target = (stream: string) => ['--stream-name', stream, '--endpoint-url', local.url]

describe('demo-generator', () => {
  it('keeps the asked rate, and its ledger agrees with what the stream holds', async () => {
    const stream = createStream()
    const ledger = join(folder, 'ledger.tsv')

    const { status, stdout } = await run([
      ...target(stream),
      ...['--events-per-second', '200', '--duration', '2', '--bad', '0.2', '--seed', '1', '--ledger', ledger],
    ])

    expect(status).toBe(0)
    expectPaced(stdout, 400, 2, 8)
    const records = await readStream(stream)
    const lines = readFileSync(ledger, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('\t'))
    expect(records).toHaveLength(400)
    expect(lines.map((fields) => fields[9]).sort()).toEqual(
      records.map((record) => record.SequenceNumber).sort(),
    )
    expect(new Set(lines.map(([index]) => index)).size).toBe(400)
    expect(lines.every(([, , , , , , , outcome]) => outcome === 'ok')).toBe(true)
    const bad = lines.filter(([, kind]) => kind !== 'good')
    expect(bad.length).toBeGreaterThan(40)
    expect(bad.length).toBeLessThan(140)
  })

  it('puts events of one key in order', async () => {
    const stream = createStream()
    const ledger = join(folder, 'order.tsv')

    await run([...target(stream), ...['--mode', 'burst', '--burst-events', '3000', '--ledger', ledger]])

    const lastOfKey = new Map<string, number>()
    const indexOf = new Map(
      readFileSync(ledger, 'utf8')
        .trim()
        .split('\n')
        .map((line) => {
          const fields = line.split('\t')
          return [fields[9]!, Number(fields[0])] as const
        }),
    )
    const records = (await readStream(stream)).sort((a, b) =>
      a.SequenceNumber.slice(-20) < b.SequenceNumber.slice(-20) ? -1 : 1,
    )
    expect(records).toHaveLength(3_000)
    for (const { PartitionKey, SequenceNumber } of records) {
      const index = indexOf.get(SequenceNumber)!
      expect(index).toBeGreaterThan(lastOfKey.get(PartitionKey) ?? -1)
      lastOfKey.set(PartitionKey, index)
    }
  })

  it('sends a single event, with the session in its key where that is asked', async () => {
    const stream = createStream()

    const { status } = await run([
      ...target(stream),
      ...['--mode', 'single', '--partition-key', 'user_id#session_id'],
    ])

    expect(status).toBe(0)
    const [record, ...others] = await readStream(stream)
    expect(others).toEqual([])
    expect(record!.PartitionKey).toMatch(/^user_\d{4}#[0-9a-f]{8}$/)
    expect(JSON.parse(Buffer.from(record!.Data).toString())).toMatchObject({
      user_id: record!.PartitionKey.slice(0, 9),
    })
  })

  it('spreads a burst over a duration', async () => {
    const stream = createStream()

    const { stdout } = await run([
      ...target(stream),
      ...['--mode', 'burst', '--burst-events', '100', '--duration', '1'],
    ])

    expectPaced(stdout, 100, 1, 8)
  })

  it('replays a file at a multiple of its recorded pace', async () => {
    const stream = createStream()
    const file = join(folder, 'paced.ndjson')
    const at = (second: number) =>
      JSON.stringify({ user_id: 'u', event_type: 't', timestamp: `2026-01-01T00:00:0${second}Z` })
    writeFileSync(file, `${at(0)}\n${at(4)}\n${at(8)}\n`)

    const { stdout } = await run([...target(stream), ...['--mode', 'replay', '--file', file, '--speed', '8']])

    expectPaced(stdout, 3, 1, 8)
  })

  it('skips bad lines when asked, and says how many', async () => {
    const stream = createStream()
    const input = '{"user_id":"a","event_type":"t"}\nbroken\n{"user_id":"b","event_type":"t"}\n'

    const { status, stdout } = await run(
      [...target(stream), ...['--mode', 'replay', '--file', '-', '--on-bad-line', 'skip']],
      { input },
    )

    expect(status).toBe(0)
    expect(stdout).toContain('2 events delivered')
    expect(stdout).toContain('1 line skipped')
  })

  it('stops a replay after a duration, soon drained, and warns of a mapping that nothing had use for', async () => {
    // A shard that takes what a shard takes: a pipe that never ends is only a little ahead of it.
    const limited = await startLocal()
    limited.kinesis.call('CreateStream', { StreamName: 'limited', ShardCount: 1 })
    const summaryFile = join(folder, 'summary.json')
    const endless = Readable.from(
      (function* () {
        for (;;) yield '{"user_id":"a","event_type":"t"}\n'.repeat(100)
      })(),
    )
    try {
      const { status, stderr } = await run(
        [
          ...['--stream-name', 'limited', '--endpoint-url', limited.url, '--mode', 'replay', '--file', '-'],
          ...['--duration', '1', '--map', 'value=price', '--json', summaryFile],
        ],
        { input: endless },
      )

      expect(status).toBe(0)
      expect(stderr).toContain('warning: --map value=price: no line has a field price.')
      const summary = JSON.parse(readFileSync(summaryFile, 'utf8'))
      expect(summary).toMatchObject({ failed: 0, skippedLines: 0 })
      expect(summary.acknowledged).toBe(summary.produced)
      // Two seconds of the shard, and what it took in the meantime; a busy machine does not read that much in a second.
      expect(summary.produced).toBeGreaterThanOrEqual(1_000)
      expect(summary.produced).toBeLessThan(15_000)
    } finally {
      await limited.close()
    }
  }, 60_000)

  it('ends when it shall, though a fast pipe brings nothing but bad lines', async () => {
    const stream = createStream()
    const chunk = 'x\n'.repeat(32_768)
    const endless = Readable.from(
      (function* () {
        for (;;) yield chunk
      })(),
    )

    const { status, stdout } = await run(
      [...target(stream), ...['--mode', 'replay', '--file', '-', '--on-bad-line', 'skip', '--duration', '1']],
      { input: endless },
    )

    expect(status).toBe(0)
    expect(stdout).toMatch(/lines skipped/)
  })

  it('reads a long pipe in bounded memory', async () => {
    // The producer paces itself to the shards' rate, which is not what is tested here.
    const stream = createStream(64)
    const line = `${JSON.stringify({ user_id: 'u', event_type: 't', metadata: { text: 'x'.repeat(20_000) } })}\n`
    const count = 6_000
    const input = Readable.from(
      (function* () {
        for (let i = 0; i < count; i++) yield line.replace('"u"', `"u${i % 500}"`)
      })(),
    )

    // 120 MB through a heap that could not hold them.
    const { status, stdout } = await run(
      [...target(stream), ...['--mode', 'replay', '--file', '-', '--ordering', 'none']],
      { input, env: { NODE_OPTIONS: '--max-old-space-size=64' } },
    )

    expect(status).toBe(0)
    expect(stdout).toContain(`${count} events delivered`)
  }, 60_000)

  it.skipIf(!existsSync(accessLog))(
    "replays 10,000 requests of a web server's log (skipped unless APACHE_ACCESS_LOG names one)",
    async () => {
      const stream = createStream()

      const { status, stdout } = await run([
        ...target(stream),
        ...['--mode', 'replay', '--file', accessLog, '--format', 'clf'],
      ])

      expect(status).toBe(0)
      expect(stdout).toContain('10000 events delivered')
    },
    60_000,
  )

  it('drains when it is stopped, and says what it delivered', async () => {
    const stream = createStream()
    const child = spawn(process.execPath, [
      cli,
      ...target(stream),
      ...['--events-per-second', '100', '--duration', '0'],
    ])
    let stdout = ''
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString()
    })
    await expect.poll(async () => (await readStream(stream)).length, { timeout: 10_000 }).toBeGreaterThan(0)

    child.kill('SIGINT')

    const status = await new Promise((resolve) => child.once('close', resolve))
    expect(status).toBe(0)
    expect(stdout).toContain(`${(await readStream(stream)).length} events delivered`)
  })

  it.each<[string, () => string[], RegExp, NodeJS.ProcessEnv?]>([
    ['an unknown flag', () => [...target('s'), '--rate', '5'], /unknown option '--rate'/],
    ['no stream', () => ['--mode', 'single'], /required option '--stream-name/],
    ['a rate of zero', () => [...target('s'), '--events-per-second', '0'], /Give a number above 0/],
    ['a URL that is none', () => ['--stream-name', 's', '--endpoint-url', 'localhost'], /Give a URL/],
    [
      'a name that no stream can have',
      () => target('bad name!'),
      /"bad name!" is no name of a stream\. Give --stream-name/,
    ],
    ['a stream that is not there', () => target('nowhere'), /no stream nowhere at http.*--stream-name/],
    [
      'a file that is not there',
      () => [...target('s'), '--mode', 'replay', '--file', '/no/such'],
      /\/no\/such does not exist/,
    ],
    [
      'a flag of another mode',
      () => [...target('s'), '--file', 'x'],
      /--file has no effect with --mode continuous/,
    ],
    [
      'a rate for a replay',
      () => [...target('s'), '--mode', 'replay', '--file', 'x', '--events-per-second', '5'],
      /--events-per-second has no effect with --mode replay: it belongs to --mode continuous/,
    ],
    [
      'a ledger in a folder that is not there',
      () => [...target('s'), '--ledger', '/nope/x'],
      /\/nope\/x cannot be written: \/nope does not exist\. Check --ledger/,
    ],
    [
      'a summary in a folder that is not there',
      () => [...target('s'), '--json', '/nope/x'],
      /\/nope does not exist\. Check --json/,
    ],
    ['an empty name of a file', () => [...target('s'), '--json', ''], /--json.*It is empty\./],
    [
      'a map that is none',
      () => [...target('s'), '--mode', 'replay', '--file', '-', '--map', 'user=who'],
      /--map.*Write NAME=FIELD/,
    ],
    ['a replay of nothing', () => [...target('s'), '--mode', 'replay'], /needs --file/],
    [
      'an endpoint where nobody listens',
      () => ['--stream-name', 's', '--endpoint-url', 'http://127.0.0.1:1'],
      /cannot be reached \(ECONNREFUSED\)/,
    ],
    [
      'no credentials',
      () => ['--stream-name', 's', '--region', 'eu-west-1'],
      /no AWS credentials.*AWS_PROFILE/,
    ],
    ['no region', () => ['--stream-name', 's'], /no region.*--region/],
    [
      'an endpoint in the environment that is none',
      () => ['--stream-name', 's'],
      /AWS_ENDPOINT_URL.*localhost.*Give a URL/,
      { AWS_ENDPOINT_URL: 'localhost' },
    ],
  ])('answers %s with one clear line, a status and no stack trace', async (_, args, message, env = {}) => {
    const { status, stderr } = await run(args(), { env: { HOME: folder, ...env } })

    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect(status).toBe(1)
  })

  it('names the bad line, and delivers and counts what came before it', async () => {
    const stream = createStream()

    const { status, stdout, stderr } = await run(
      [...target(stream), ...['--mode', 'replay', '--file', '-', '--format', 'ndjson']],
      { input: '{"user_id":"a","event_type":"t"}\nbroken\n' },
    )

    expect(status).toBe(1)
    expect(stdout).toContain('1 event delivered')
    expect(stderr).toContain('Line 2: it is no JSON.')
    expect(await readStream(stream)).toHaveLength(1)
  })
})
