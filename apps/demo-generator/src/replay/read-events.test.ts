import { describe, expect, it } from 'vitest'
import { MAX_LINE_LENGTH } from './lines.js'
import { type ReadEventsOptions, readEvents } from './read-events.js'
import type { ReplayedEvent } from './replayed-event.js'

async function read(text: string | Buffer[], options: Partial<ReadEventsOptions> = {}) {
  const chunks = typeof text === 'string' ? [Buffer.from(text)] : text
  const bad: string[] = []
  const warnings: string[] = []
  const events: ReplayedEvent[] = []
  const input = (async function* () {
    yield* chunks
  })()
  const all = {
    format: 'ndjson' as const,
    map: {},
    source: 'file',
    onBadLine: (e: Error) => bad.push(e.message),
    onWarning: (message: string) => warnings.push(message),
    ...options,
  }
  for await (const event of readEvents(input, all)) events.push(event)
  return { events, bad, warnings }
}

describe('readEvents', () => {
  it('keeps the fields of an NDJSON line that is an event already', async () => {
    const event = {
      event_id: 'e1',
      user_id: 'u',
      event_type: 't',
      timestamp: '2026-01-01T00:00:00Z',
      value: 2,
      metadata: { a: 1 },
    }

    expect((await read(JSON.stringify(event))).events).toEqual([event])
  })

  it('maps fields, and puts what is not mapped into metadata', async () => {
    const { events } = await read(
      '{"who":"u","what":"buy","price":"1.50","shop":7,"metadata":{"kept":true}}',
      {
        map: { user_id: 'who', event_type: 'what', value: 'price' },
      },
    )

    expect(events).toEqual([
      {
        event_id: expect.any(String),
        user_id: 'u',
        event_type: 'buy',
        value: 1.5,
        metadata: { kept: true, shop: 7 },
      },
    ])
  })

  it.each([
    ['1704067200', '2024-01-01T00:00:00.000Z'],
    ['1704067200.25', '2024-01-01T00:00:00.250Z'],
    ['1704067200000', '2024-01-01T00:00:00.000Z'],
    ['"1704067200"', '2024-01-01T00:00:00.000Z'],
    ['"yesterday"', 'yesterday'],
    ['1e300', '1e+300'],
  ])('takes the timestamp %s for %s', async (written, timestamp) => {
    expect((await read(`{"user_id":"u","timestamp":${written}}`)).events).toMatchObject([{ timestamp }])
  })

  it('gives equal lines different ids, and the same ids the next time', async () => {
    const lines = '{"user_id":"u"}\n{"user_id":"u"}\n'
    const [first, second] = [await read(lines), await read(lines)]

    expect(first.events[0]!.event_id).not.toBe(first.events[1]!.event_id)
    expect(second.events).toEqual(first.events)
    expect((await read(lines, { source: 'other' })).events[0]!.event_id).not.toBe(first.events[0]!.event_id)
  })

  it('reads CSV with quotes, line breaks in fields and a BOM', async () => {
    const csv = '\ufeffuser_id,event_type,value,note\nu1,click,3,"a ""b""\nc"\nu2,view,,x\n'

    const { events } = await read(csv, { format: 'csv' })

    expect(events).toMatchObject([
      { user_id: 'u1', event_type: 'click', value: 3, metadata: { note: 'a "b"\nc' } },
      { user_id: 'u2', event_type: 'view', metadata: { note: 'x' } },
    ])
    expect(events[1]).not.toHaveProperty('value')
  })

  it('takes host, method, time and bytes of a log for user, type, timestamp and value', async () => {
    const line = '10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /x HTTP/1.1" 200 - "-" "curl"'

    expect((await read(line, { format: 'clf' })).events).toEqual([
      {
        event_id: expect.any(String),
        user_id: '10.0.0.1',
        event_type: 'get',
        timestamp: '2015-05-17T10:05:03+00:00',
        value: 0,
        metadata: {
          ident: '-',
          user: '-',
          path: '/x',
          protocol: 'HTTP/1.1',
          status: 200,
          referrer: '-',
          agent: 'curl',
        },
      },
    ])
  })

  it('reads lines however they are cut into chunks, with CRLF, empty lines and no line end at the last', async () => {
    const text = Buffer.from('\ufeff{"user_id":"ä"}\r\n\r\n{"user_id":"b"}\n{"user_id":"c"}')
    const bytes = [...text].map((byte) => Buffer.from([byte]))

    expect((await read(bytes)).events.map((event) => event.user_id)).toEqual(['ä', 'b', 'c'])
  })

  it.each([
    ['broken JSON', 'ndjson', '{"user_id":"a"}\n{broken\n{"user_id":"c"}', 'Line 2: it is no JSON.'],
    [
      'JSON that is no object',
      'ndjson',
      '{"user_id":"a"}\n[1]\n{"user_id":"c"}',
      'Line 2: it is JSON, but no object.',
    ],
    [
      'a value that is no number',
      'ndjson',
      '{"user_id":"a"}\n{"value":"x"}\n{"user_id":"c"}',
      'Line 2: value is no number.',
    ],
    ['a line in another format', 'clf', 'x', 'Line 1: it is no request in common or combined log format.'],
    [
      'a CSV line with too many fields',
      'csv',
      'user_id,value\na,1\nb,2,3\nc,4',
      'Line 3: it has 3 fields where the header has 2.',
    ],
  ] as const)(
    'tells of %s with its line number and the remedy, and goes on',
    async (_, format, text, message) => {
      const { bad, events } = await read(text, { format })

      expect(bad).toHaveLength(1)
      expect(bad[0]).toContain(message)
      expect(bad[0]).toContain('--on-bad-line skip')
      expect(events).toHaveLength(format === 'clf' ? 0 : 2)
    },
  )

  it.each(['ndjson', 'csv', 'clf'] as const)('ends at a bad %s line when it is asked to', async (format) => {
    const onBadLine = (error: Error) => {
      throw error
    }

    await expect(read('user_id,value\na,1\nb,2,3\n', { format, onBadLine })).rejects.toThrow(/^Line \d+: /)
  })

  it('passes over a line without end, in bounded memory, and reads the next', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const endless = Array.from({ length: (4 * MAX_LINE_LENGTH) / chunk.length }, () => chunk)

    const { bad, events } = await read([...endless, Buffer.from('\n{"user_id":"next"}\n')])

    expect(bad).toEqual([expect.stringContaining(`Line 1: it is longer than ${MAX_LINE_LENGTH} characters.`)])
    expect(events).toMatchObject([{ user_id: 'next' }])
  })

  it('does not let a bad line speak to the terminal', async () => {
    const { bad } = await read('user_id,value\n"a"\u001b[31mx,1\n', { format: 'csv' })

    expect(bad).not.toEqual([])
    expect(bad.join()).not.toContain('\u001b')
  })

  it('names the line in which a CSV quote opens that never closes, and loses that line alone', async () => {
    const csv = 'user_id,note\na,"open\nb,x\nc,"" \nd,"fine"\ne,"two\n\nlines"\n'

    const { bad, events } = await read(csv, { format: 'csv' })

    expect(bad).toEqual([
      expect.stringContaining('Line 2: a quote opens in it that never closes.'),
      expect.stringContaining('Line 4: more follows after the quote'),
    ])
    expect(events.map((event) => event.user_id)).toEqual(['b', 'd', 'e'])
    expect(events.at(-1)!.metadata).toEqual({ note: 'two\n\nlines' })
  })

  it('reads on in bounded memory after a quote that never closes', async () => {
    const row = `b,"${'x'.repeat(1_000)}"\n`
    const rows = Array.from({ length: (2 * MAX_LINE_LENGTH) / row.length }, () => Buffer.from(row))

    const { bad, events } = await read([Buffer.from('user_id,note\na,"open\n'), ...rows], { format: 'csv' })

    expect(bad).toEqual([expect.stringContaining('Line 2: ')])
    expect(events).toHaveLength(rows.length)
  })

  it('lists the columns where the map names none of them, or none means anything', async () => {
    const csv = 'who,what\na,b\n'

    await expect(read(csv, { format: 'csv', map: { user_id: 'nope' } })).rejects.toThrow(
      '--map user_id=nope names a field that the input does not have. The fields are: who, what. Check --map.',
    )
    await expect(read(csv, { format: 'csv' })).rejects.toThrow(
      'No field is one of user_id, event_type, timestamp, value. The fields are: who, what.',
    )
    const request = '10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /x HTTP/1.1" 200 1'
    await expect(read(request, { format: 'clf', map: { value: 'nope' } })).rejects.toThrow(
      /The fields are: host, /,
    )
  })

  it('warns at the end of a mapping that no line had use for', async () => {
    const map = { user_id: 'who', value: 'nope' }

    expect((await read('{"who":"a"}\n{"who":"b"}', { map })).warnings).toEqual([
      '--map value=nope: no line has a field nope.',
    ])
    expect((await read('{"who":"a"}\n{"nope":1}', { map })).warnings).toEqual([])
  })

  it.each([
    ['the ending of its name', 'a.CSV', 'x,user_id\n1,a\n', 'a'],
    ['a logged request', 'stdin', '\n10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /x" 200 1\n', '10.0.0.1'],
    ['a header that names the user', 'stdin', '"user_id",x\na,1\n', 'a'],
    ['JSON', 'file.txt', '{"user_id":"a"}\n', 'a'],
  ])('knows the format from %s', async (_, source, text, user) => {
    const { events } = await read(text, { format: undefined, source })

    expect(events.map((event) => event.user_id)).toEqual([user])
  })

  it('says which format a line looks like', async () => {
    const request = '10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /x HTTP/1.1" 200 1'

    expect((await read(`{"user_id":"a"}\n${request}`)).bad).toEqual([
      expect.stringContaining('Line 2: it is no JSON, but a logged request: pass --format clf.'),
    ])
  })
})
