import { InvalidOptionError, seededRandom } from '@org/kinesis-core'
import { kinesisEvent, lambdaContext } from '@org/kinesis-core/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryRejectedSink } from '../src/handler-fixture.js'
import { kinesisHandler, parseJson, type SinkRecord } from '../src/index.js'
import { type PostgresClient, type PostgresSinkOptions, postgresSink } from '../src/postgres.js'
import { outcomes, position, sinkRecords, time } from '../src/sink-fixture.js'
import { missingPostgres, startPostgres } from './postgres-fixture.js'

interface Order {
  id: unknown
  amount?: unknown
  note?: unknown
}

if (missingPostgres !== undefined) console.warn(missingPostgres)

describe.skipIf(missingPostgres !== undefined)('a PostgreSQL sink', () => {
  let postgres: Awaited<ReturnType<typeof startPostgres>>
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres?.[Symbol.asyncDispose]())

  const TABLE = 'id int PRIMARY KEY, amount numeric CHECK (amount >= 0), note varchar(10)'

  /** A table of its own for each test, and a client that counts the statements; `before` and `after` throw in their place. */
  async function aTable(columns = TABLE, faults: { before?: () => void; after?: () => void } = {}) {
    const tableName = `orders ${Math.random().toString(36).slice(2)}`
    await postgres.pool.query(`CREATE TABLE "${tableName}" (${columns})`)
    const statements: { text: string; parameters: number }[] = []
    const client: PostgresClient = {
      async query(text, values) {
        statements.push({ text, parameters: values.length })
        faults.before?.()
        const result = await postgres.pool.query(text, values)
        faults.after?.()
        return result
      },
    }
    const sinkOf = (options: Partial<PostgresSinkOptions<Order>> = {}) =>
      postgresSink<Order>({
        client,
        tableName,
        key: ['id'],
        columns: { id: ({ id }) => id, amount: ({ amount }) => amount, note: ({ note }) => note },
        ...options,
      })
    const stored = async () => (await postgres.pool.query(`SELECT * FROM "${tableName}" ORDER BY 1`)).rows
    return { tableName, statements, client, sinkOf, stored }
  }

  it('stores many records in few statements, whatever keys they are of', async () => {
    const { sinkOf, stored, statements } = await aTable()
    const records = sinkRecords(
      ...Array.from({ length: 2_500 }, (_, n): [string, Order] => [`k${n % 7}`, { id: n, amount: n / 10 }]),
    )

    const results = await sinkOf().write(records, time)

    expect(outcomes(results)).toEqual(Array(2_500).fill('stored'))
    expect(statements.map(({ parameters }) => parameters)).toEqual([3_000, 3_000, 1_500])
    const rows = await stored()
    expect(rows).toHaveLength(2_500)
    expect(rows[7]).toEqual({ id: 7, amount: '0.7', note: null })
  })

  it('keeps each statement within 65,535 parameters', async () => {
    const { sinkOf, statements } = await aTable()
    const records = sinkRecords(
      ...Array.from({ length: 22_000 }, (_, n): [string, Order] => ['k', { id: n }]),
    )

    const results = await sinkOf({ maxRows: 1_000_000 }).write(records, time)

    expect(results.every(({ stored }) => stored)).toBe(true)
    expect(statements.map(({ parameters }) => parameters)).toEqual([21_845 * 3, 155 * 3])
  })

  it('hands values to the driver as they are: text, dates, JSON, bytes, big numbers, null', async () => {
    const { tableName, client } = await aTable(
      'id text PRIMARY KEY, at timestamptz, doc jsonb, raw bytea, big numeric',
    )
    const at = new Date('2026-01-01T00:00:00.123Z')
    const sink = postgresSink<string>({
      client,
      tableName,
      schemaName: 'public',
      key: ['id'],
      columns: {
        id: (value, { shardId }) => `${shardId} ${value}`,
        at: () => at,
        doc: () => ({ list: [1, 'two', null] }),
        raw: () => Buffer.from([0, 255]),
        big: () => 123456789012345678901234567890n,
      },
    })

    expect(outcomes(await sink.write(sinkRecords(['a', "it's 🕐"]), time))).toEqual(['stored'])
    expect((await postgres.pool.query(`SELECT * FROM "${tableName}"`)).rows).toEqual([
      {
        id: "shardId-000000000000 it's 🕐",
        at,
        doc: { list: [1, 'two', null] },
        raw: Buffer.from([0, 255]),
        big: '123456789012345678901234567890',
      },
    ])
  })

  it('quotes names, whatever they hold', async () => {
    const { client } = await aTable()
    await postgres.pool.query('CREATE TABLE "x""; DROP TABLE y; --" ("select" int PRIMARY KEY, "a""b" text)')
    const sink = postgresSink<number>({
      client,
      tableName: 'x"; DROP TABLE y; --',
      key: ['select'],
      columns: { select: (n) => n, 'a"b': () => 'stored' },
    })

    expect(outcomes(await sink.write(sinkRecords(['a', 1]), time))).toEqual(['stored'])
    expect((await postgres.pool.query('SELECT * FROM "x""; DROP TABLE y; --"')).rows).toEqual([
      { select: 1, 'a"b': 'stored' },
    ])
  })

  it('writes of the records with one key the last in stream order, in one statement', async () => {
    const { sinkOf, stored, statements } = await aTable()

    const results = await sinkOf().write(
      sinkRecords(
        ['a', { id: 1, note: 'first' }],
        ['b', { id: 2, note: 'other' }],
        ['c', { id: 1, note: 'second' }],
        ['a', { id: 1, note: 'third' }],
      ),
      time,
    )

    expect(outcomes(results)).toEqual(Array(4).fill('stored'))
    expect(statements).toHaveLength(1)
    expect((await stored()).map(({ id, note }) => [id, note])).toEqual([
      [1, 'third'],
      [2, 'other'],
    ])
  })

  it('divides a statement where only the database knows that two keys are the same', async () => {
    const { sinkOf, stored } = await aTable()

    const results = await sinkOf().write(
      sinkRecords(['a', { id: 1, note: 'number' }], ['a', { id: '01', note: 'text' }]),
      time,
    )

    expect(outcomes(results)).toEqual(['stored', 'stored'])
    expect(await stored()).toMatchObject([{ id: 1, note: 'text' }])
  })

  it('leaves the first of a key with onConflict nothing, in a statement and in the table', async () => {
    const { sinkOf, stored } = await aTable()
    const sink = sinkOf({ onConflict: 'nothing' })

    await sink.write(sinkRecords(['a', { id: 1, note: 'first' }], ['a', { id: 1, note: 'second' }]), time)
    const results = await sink.write(sinkRecords(['a', { id: 1, note: 'third' }]), time)

    expect(outcomes(results)).toEqual(['stored'])
    expect(await stored()).toMatchObject([{ id: 1, note: 'first' }])
  })

  it('never lets an older record overwrite a newer one where it keeps positions', async () => {
    const { sinkOf, stored } = await aTable(`${TABLE}, position numeric`)
    const sink = sinkOf({ positionColumn: 'position' })
    const write = async (...records: SinkRecord<Order>[]) => outcomes(await sink.write(records, time))
    const at = (n: number, subSequenceNumber: number, note: string): SinkRecord<Order> => ({
      value: { id: 1, note },
      position: position(n, { subSequenceNumber }),
    })

    expect(await write(at(5, 2, '5.2'))).toEqual(['stored'])
    expect(await write(at(4, 9, '4.9'))).toEqual(['stored'])
    expect(await write(at(5, 1, '5.1'))).toEqual(['stored'])
    expect(await stored()).toMatchObject([{ note: '5.2' }])
    expect(await write(at(5, 10, '5.10'))).toEqual(['stored'])
    expect(await stored()).toMatchObject([
      { note: '5.10', position: `${position(5).sequenceNumber}.000000010` },
    ])
  })

  it('updates a row that has no position yet', async () => {
    const { sinkOf, stored, tableName } = await aTable(`${TABLE}, position numeric`)
    await postgres.pool.query(`INSERT INTO "${tableName}" (id, note) VALUES (1, 'before')`)

    await sinkOf({ positionColumn: 'position' }).write(sinkRecords(['a', { id: 1, note: 'after' }]), time)

    expect(await stored()).toMatchObject([{ note: 'after' }])
  })

  it('rejects the rows that the table can never hold, and stores all others', async () => {
    const { sinkOf, stored, statements } = await aTable()
    const bad: Record<number, Order> = {
      100: { id: 'no number' },
      333: { id: 333, amount: -1 },
      500: { id: null },
      777: { id: 777, note: 'longer than ten' },
      778: { id: 778, note: 'nul \0' },
    }
    const records = sinkRecords(
      ...Array.from({ length: 1_000 }, (_, n): [string, Order] => [`k${n}`, bad[n] ?? { id: n }]),
    )

    const results = await sinkOf().write(records, time)

    expect(outcomes(results)).toEqual(records.map((_, n) => (n in bad ? 'unstorable' : 'stored')))
    expect(results[333]).toMatchObject({
      error: { message: expect.stringMatching(/refuses the row: .* violates check constraint/) },
    })
    expect(await stored()).toHaveLength(995)
    expect(statements.length).toBeLessThan(5 * 2 * 11)
  })

  it('stores the record before one that is refused, where both have one key', async () => {
    const { sinkOf, stored } = await aTable()

    const results = await sinkOf().write(
      sinkRecords(
        ['a', { id: 1, note: 'first' }],
        ['b', { id: 1, note: 'second' }],
        ['c', { id: 1, amount: -1 }],
        ['d', { id: 2 }],
      ),
      time,
    )

    expect(outcomes(results)).toEqual(['stored', 'stored', 'unstorable', 'stored'])
    expect(await stored()).toMatchObject([{ id: 1, note: 'second' }, { id: 2 }])
  })

  it('holds back what stands behind a refused row in its partition key, and stores what stands before it', async () => {
    const { sinkOf, stored } = await aTable()

    const results = await sinkOf().write(
      sinkRecords(
        ['a', { id: 1, note: 'first' }],
        ['a', { id: 2, amount: -1 }],
        ['a', { id: 1, note: 'second' }],
        ['b', { id: 3 }],
      ),
      time,
    )

    expect(outcomes(results)).toEqual(['stored', 'unstorable', 'failed', 'stored'])
    expect(await stored()).toMatchObject([{ id: 1, note: 'first' }, { id: 3 }])
  })

  it.each<[string, string, Partial<PostgresSinkOptions<Order>>, RegExp]>([
    ['no such table', TABLE, { tableName: 'missing' }, /does not exist/],
    ['no such column', 'id int PRIMARY KEY, amount numeric', {}, /does not exist/],
    [
      'no constraint for the key',
      'id int, amount numeric, note text',
      {},
      /no unique or exclusion constraint/,
    ],
    [
      'a column that must be filled, and is not',
      `${TABLE}, more int NOT NULL`,
      {},
      /null value in column "more"/,
    ],
  ])('rejects no record for a fault of the wiring: %s', async (_, columns, options, message) => {
    const { sinkOf, statements } = await aTable(columns)

    const results = await sinkOf(options).write(sinkRecords(['a', { id: 1 }], ['b', { id: 2 }]), time)

    expect(outcomes(results)).toEqual(['failed', 'failed'])
    expect(results[0]).toMatchObject({ error: { message: expect.stringMatching(message) } })
    expect(statements).toHaveLength(1)
  })

  it('leaves all records when the connection fails, and gives up after three statements', async () => {
    const { sinkOf, statements, stored } = await aTable(TABLE, {
      before() {
        throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
      },
    })
    const nobody = new pg.Pool({ ...postgres.connection, port: 1 })
    const records = sinkRecords(
      ...Array.from({ length: 100 }, (_, n): [string, Order] => [`k${n}`, { id: n }]),
    )

    const failed = await sinkOf({ maxRows: 10 }).write(records, time)
    const refused = await sinkOf({ client: nobody }).write(records.slice(0, 1), time)
    await nobody.end()

    expect(outcomes(failed)).toEqual(Array(100).fill('failed'))
    expect(statements).toHaveLength(3)
    expect(refused).toMatchObject([{ stored: false, error: { code: 'ECONNREFUSED' } }])
    expect(await stored()).toEqual([])
  })

  it('leaves all records when the server ends the connection', async () => {
    const { sinkOf } = await aTable()
    const client = new pg.Client(postgres.connection)
    client.on('error', () => {})
    await client.connect()
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await postgres.pool.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid])

    const results = await sinkOf({ client }).write(sinkRecords(['a', { id: 1 }]), time)

    expect(outcomes(results)).toEqual(['failed'])
    await client.end()
  })

  it('gives up on an answer that does not come, and starts nothing when the time is over', async () => {
    const { sinkOf, tableName, stored, statements } = await aTable()
    const other = await postgres.pool.connect()
    await other.query('BEGIN')
    await other.query(`LOCK TABLE "${tableName}" IN EXCLUSIVE MODE`)

    const late = await sinkOf({ requestTimeoutMs: 100 }).write(sinkRecords(['a', { id: 1 }]), time)
    const over = await sinkOf().write(sinkRecords(['a', { id: 2 }]), { remainingMs: () => 0 })
    await other.query('COMMIT')
    other.release()

    expect(late).toMatchObject([
      { stored: false, error: { code: 'TRANSIENT', message: `${tableName} gave no answer in 100 ms.` } },
    ])
    expect(outcomes(over)).toEqual(['failed'])
    expect(statements).toHaveLength(1)
    await expect.poll(stored).toMatchObject([{ id: 1 }])
  })

  it.each([1, 2, 3, 4, 5])(
    'leaves the same table as if each record came once, whatever fails on the way: %i',
    async (seed) => {
      const random = seededRandom(seed)
      const fault = () => {
        if (random() < 0.1) throw new Error('injected')
      }
      const { sinkOf, stored } = await aTable(TABLE, { before: fault, after: fault })
      const rejected = new MemoryRejectedSink()
      const handler = kinesisHandler({
        decode: (data) => parseJson(data) as { id: number; amount: number; note: string },
        sink: sinkOf({ maxRows: 20 }),
        rejected,
        backoffBaseMs: 1,
        maxAttempts: 2,
        onUnresolved: () => {},
      })
      const events = Array.from({ length: 200 }, (_, n) => ({
        partitionKey: `k${n % 10}`,
        data: {
          id: Math.floor(random() * 3) * 10 + (n % 10),
          note: `n${n}`,
          amount: random() < 0.05 ? -1 : n,
        },
      }))

      let { Records } = kinesisEvent(events)
      for (let invocation = 1; Records.length > 0 && invocation < 100; invocation++) {
        const { batchItemFailures } = await handler({ Records }, lambdaContext())
        const from = batchItemFailures[0]?.itemIdentifier ?? ''
        const first = Records.findIndex(({ kinesis }) => kinesis.sequenceNumber === from)
        Records = first < 0 ? [] : Records.slice(first)
      }

      expect(Records).toHaveLength(0)
      const last = new Map(
        events.filter(({ data }) => data.amount >= 0).map(({ data }) => [data.id, data.note]),
      )
      expect(new Map((await stored()).map(({ id, note }) => [id, note]))).toEqual(
        new Map([...last].sort(([a], [b]) => a - b)),
      )
      for (const { reasonCode, payload } of rejected.records) {
        expect(reasonCode).toBe('unstorable')
        expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({ amount: -1 })
      }
      expect(rejected.records.length).toBeGreaterThan(0)
    },
  )
})

describe('options of a PostgreSQL sink that cannot work', () => {
  const good: PostgresSinkOptions<Order> = {
    client: { query: async () => ({}) },
    tableName: 'orders',
    key: ['id'],
    columns: { id: ({ id }) => id, note: ({ note }) => note },
  }

  it.each<[string, Partial<Record<keyof PostgresSinkOptions<Order> | 'table', unknown>>]>([
    ['client', { client: undefined }],
    ['tableName', { tableName: '' }],
    ['tableName', { tableName: 'x'.repeat(64) }],
    ['schemaName', { schemaName: 'nul \0' }],
    ['columns', { columns: {} }],
    ['columns.id', { columns: { id: 'id' } }],
    ['key', { key: [] }],
    ['key', { key: ['other'] }],
    ['key', { key: ['id', 'id'] }],
    ['onConflict', { onConflict: 'replace' }],
    ['onConflict', { columns: { id: () => 1 } }],
    ['positionColumn', { positionColumn: 'note' }],
    ['positionColumn', { positionColumn: 'position', onConflict: 'nothing' }],
    ['maxRows', { maxRows: 0 }],
    ['requestTimeoutMs', { requestTimeoutMs: 0 }],
    ['clock', { clock: {} }],
    ['table', { table: 'orders' }],
  ])('fail when the sink is built: %s', (option, wrong) => {
    const build = () => postgresSink({ ...good, ...wrong } as never)

    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ option }))
  })
})
