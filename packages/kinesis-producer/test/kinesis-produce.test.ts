import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Local, startLocal } from '@org/kinesis-local'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { produce } from './produce-process.js'
import { storedIn } from './stored-records.js'

let local: Local
const folder = mkdtempSync(join(tmpdir(), 'kinesis-produce-test-'))
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

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const to = (stream: string) => ['--stream-name', stream, '--endpoint-url', local.url]
const dataOf = async (stream: string) => (await storedIn(local, stream)).map(({ data }) => data).sort()

describe('kinesis-produce', () => {
  it('sends every line as it is, with random keys, and says so on standard output alone', async () => {
    const stream = createStream()
    const lines = Array.from({ length: 1_000 }, (_, index) => `GET /${index} – 200`)

    const { status, stdout, stderr } = await produce(to(stream), { input: `${lines.join('\r\n')}\n\n` })

    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^1,000 read, 1,000 delivered, 0 failed, 0 refused\n[\d.]+ KiB in \d\.\d s, /)
    expect(await dataOf(stream)).toEqual(lines.sort())
    const records = await storedIn(local, stream)
    expect(new Set(records.map(({ partitionKey }) => partitionKey)).size).toBe(1_000)
    expect(new Set(records.map(({ shardId }) => shardId)).size).toBe(2)
  })

  it('sends bytes that are no text, and empty lines where they are asked for', async () => {
    const stream = createStream()

    const { status } = await produce([...to(stream), '--no-skip-empty'], {
      input: Buffer.from([0xff, 0x00, 0x0a, 0x0a, 0x61]),
    })

    expect(status).toBe(0)
    expect(await dataOf(stream)).toEqual(['', '\ufffd\0', 'a'].sort())
  })

  it('packs small lines into aggregates where it is asked to, in the order of their keys', async () => {
    const stream = createStream()
    const lines = Array.from({ length: 2_000 }, (_, index) => `{"user":"user-${index % 5}","n":${index}}`)
    const flags = ['--aggregate', '--ordering', 'per-key', '--format', 'ndjson', '--partition-key', 'user']

    const { status, stdout } = await produce([...to(stream), ...flags], { input: lines.join('\n') })

    expect(status).toBe(0)
    expect(stdout).toContain('2,000 read, 2,000 delivered, 0 failed, 0 refused')
    const records = await storedIn(local, stream)
    for (let user = 0; user < 5; user++) {
      const ofUser = records.filter(({ partitionKey }) => partitionKey === `user-${user}`)
      expect(ofUser.map(({ data }) => data)).toEqual(lines.filter((_, index) => index % 5 === user))
    }
    expect(new Set(records.map(({ sequenceNumber }) => sequenceNumber)).size).toBeLessThan(100)
  })

  it('takes the key of a line from the capture group of a regex', async () => {
    const stream = createStream()

    const { status, stderr } = await produce([...to(stream), '--partition-key-regex', '^(\\S+) -'], {
      input: '10.0.0.1 - GET\n10.0.0.2 - GET\nnothing of the kind\n',
    })

    const keys = (await storedIn(local, stream)).map(({ partitionKey }) => partitionKey)
    expect(keys.sort()).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(stderr).toContain('standard input, line 3: it does not match --partition-key-regex.')
    expect(status).toBe(1)
  })

  it('sends NDJSON as it is written, with the key from a nested field, digit by digit', async () => {
    const stream = createStream()
    const lines = [
      '{ "customer": {"id": "c-1"}, "amount": 1.10 }',
      '{"customer":{"id":9007199254740993}}',
      '{"customer.id":"flat"}',
    ]

    const { status } = await produce(
      [...to(stream), '--format', 'ndjson', '--partition-key', 'customer.id'],
      { input: `\ufeff${lines.join('\n')}\n  \n` },
    )

    expect(status).toBe(0)
    const stored = Object.fromEntries(
      (await storedIn(local, stream)).map(({ partitionKey, data }) => [partitionKey, data]),
    )
    expect(stored).toEqual({ 'c-1': lines[0], '9007199254740993': lines[1], flat: lines[2] })
  })

  it('sends rows of CSV as JSON objects', async () => {
    const stream = createStream()
    const input = file('orders.csv', 'id;name;note\n1;Ada;"says ""hi"";\nand bye"\n2;"Bo";\n')

    const { status, stderr } = await produce([
      ...to(stream),
      ...['--delimiter', ';', '--partition-key', 'id', input],
    ])

    expect(stderr).toBe('')
    expect(status).toBe(0)
    const stored = await storedIn(local, stream)
    expect(stored.map(({ partitionKey }) => partitionKey).sort()).toEqual(['1', '2'])
    expect(stored.map(({ data }) => JSON.parse(data)).sort((a, b) => a.id - b.id)).toEqual([
      { id: '1', name: 'Ada', note: 'says "hi";\nand bye' },
      { id: '2', name: 'Bo', note: '' },
    ])
  })

  it('puts a record where its explicit hash key says', async () => {
    const stream = createStream()
    const upper = '{"k":"a","hash":340282366920938463463374607431768211455}\n'

    const { status } = await produce([...to(stream), '--format', 'ndjson', '--explicit-hash-key', 'hash'], {
      input: `${upper}{"k":"a","hash":"0"}\n${upper}`,
    })

    expect(status).toBe(0)
    const shards = (await storedIn(local, stream)).map(({ shardId, data }) => [data.length > 40, shardId])
    expect(shards.sort()).toEqual([
      [false, 'shardId-000000000000'],
      [true, 'shardId-000000000001'],
      [true, 'shardId-000000000001'],
    ])
  })

  it('reads several files, packed ones, too, and a stream by its ARN', async () => {
    const stream = createStream()
    const packed = file('access.log.1.gz', Buffer.concat([gzipSync('one\n'), gzipSync('two\n')]))
    const plain = file('access.log', 'three\n')
    const arn = `arn:aws:kinesis:us-east-1:000000000000:stream/${stream}`

    const { status, stderr } = await produce(
      ['--stream-arn', arn, '--endpoint-url', local.url, packed, plain, '-'],
      { input: 'four' },
    )

    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(await dataOf(stream)).toEqual(['four', 'one', 'three', 'two'])
  })

  it('takes keys and region from a profile, whatever keys the environment has', async () => {
    const stream = createStream()
    const config = file(
      'config',
      '[profile dev]\nregion = us-east-1\naws_access_key_id = a\naws_secret_access_key = b\n',
    )

    const { status, stderr } = await produce([...to(stream), '--profile', 'dev'], {
      input: 'line\n',
      env: { AWS_CONFIG_FILE: config, AWS_ACCESS_KEY_ID: 'other', AWS_SECRET_ACCESS_KEY: 'other' },
    })

    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  it('counts bad lines, shows the first of them where they cannot harm a terminal, and goes on', async () => {
    const stream = createStream()
    const input = [
      '{"k":"a"}',
      'no json \u001b[2J\u009b0m',
      '{"other":1}',
      '{"k":null}',
      '{"k":""}',
      `{"k":"${'k'.repeat(257)}"}`,
      ...Array.from({ length: 50 }, (_, index) => `bad ${index}`),
      '{"k":"b"}',
    ].join('\n')

    const { status, stdout, stderr } = await produce(
      [...to(stream), '--format', 'ndjson', '--partition-key', 'k', '--json'],
      { input },
    )

    expect(status).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ read: 57, delivered: 2, failed: 0, refused: 55 })
    expect(stderr.trim().split('\n')).toEqual([
      'kinesis-produce: standard input, line 2: it is no JSON. It begins: no json \\x1b[2J\\x9b0m',
      'kinesis-produce: standard input, line 3: it has no field k. It begins: {"other":1}',
      'kinesis-produce: standard input, line 4: its field k is null, and a key is a text or a number. It begins: {"k":null}',
      'kinesis-produce: standard input, line 5: its field k is empty. It begins: {"k":""}',
      expect.stringContaining('line 6: partitionKey: 257 characters, the limit is 256.'),
      'kinesis-produce: More bad lines are counted, not shown.',
    ])
  })

  it('stops at the first bad line where that is asked, and delivers what came before it', async () => {
    const stream = createStream()

    const { status, stdout } = await produce(
      [...to(stream), '--format', 'ndjson', '--on-bad-input', 'stop', '--json'],
      { input: '{"n":1}\n{"n":2}\nbroken\n{"n":4}\n' },
    )

    expect(status).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      read: 3,
      delivered: 2,
      refused: 1,
      error: 'standard input, line 3: it is no JSON. It begins: broken',
    })
    expect(await dataOf(stream)).toEqual(['{"n":1}', '{"n":2}'])
  })

  it('sends nothing in a dry run, and needs no stream for it', async () => {
    const { status, stdout } = await produce(['--dry-run', '--format', 'ndjson', '--partition-key', 'k'], {
      input: '{"k":1}\n{"k":2}\n{}\n',
    })

    expect(status).toBe(1)
    expect(stdout).toMatch(/^3 read, 2 would be sent, 1 refused\n/)
  })

  it('tells what cannot be delivered, and stops reading where nothing can', async () => {
    const stream = createStream()
    const slow = Array.from({ length: 100 }, (_, index) => `${index}\n`).join('')
    const running = produce([...to(stream), '--rate', '20', '--json'], { input: slow })
    await expect.poll(() => dataOf(stream)).not.toEqual([])

    local.kinesis.call('DeleteStream', { StreamName: stream })

    const { status, stdout, stderr } = await running
    const summary = JSON.parse(stdout)
    expect(status).toBe(1)
    expect(stderr).toContain(`The stream ${stream} was not found`)
    expect(summary.failed).toBeGreaterThan(0)
    expect(summary.read).toBeLessThan(100)
    expect(summary.read).toBe(summary.delivered + summary.failed)
  })
})
