import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findRunFolders, type RunFolders } from './data-dir.js'
import { formatTable, queryRun } from './query.js'
import { views } from './views.js'

const root = mkdtempSync(join(tmpdir(), "lake with ' quote-"))
const quotedRoot = root.replaceAll("'", "''")
let folders: RunFolders

beforeAll(async () => {
  const hour = join(root, 'lake/year=2026/month=01/day=02/hour=07')
  mkdirSync(hour, { recursive: true })
  writeFileSync(join(hour, 'a.gz'), gzipSync('{"event_type":"click","value":1.5}\n{"event_type":"view"}\n'))
  writeFileSync(join(hour, 'b.gz'), gzipSync('{"event_type":"click","extra":{"deep":true}}\n'))
  mkdirSync(join(root, 'lake/errors'), { recursive: true })
  writeFileSync(join(root, 'lake/errors/c.gz'), gzipSync('no json'))
  folders = await findRunFolders(root)
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('queryRun', () => {
  it('answers from all objects of the lake, whatever their fields, and from none of the errors', async () => {
    expect(
      await queryRun(folders, 'select event_type, count(*)::int as events from lake group by 1 order by 1'),
    ).toEqual({
      columns: ['event_type', 'events'],
      rows: [
        ['click', 2],
        ['view', 1],
      ],
    })
  })

  it('knows the time of the folders', async () => {
    const { rows } = await queryRun(
      folders,
      'select distinct year::int, month::int, day::int, hour::int from lake',
    )

    expect(rows).toEqual([[2026, 1, 2, 7]])
  })

  it('gives no rows, but the columns, of what a run has nothing of', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'run [1] *'))
    mkdirSync(join(empty, 'lake'))
    writeFileSync(join(empty, 'rejected.ndjson'), '')
    try {
      const emptyFolders = await findRunFolders(empty)

      for (const [name, { columns }] of Object.entries(views)) {
        expect(await queryRun(emptyFolders, `select * from ${name}`)).toEqual({
          columns: Object.keys(columns),
          rows: [],
        })
      }
    } finally {
      rmSync(empty, { recursive: true, force: true })
    }
  })

  it('finds a run in a folder whose name looks like a pattern', async () => {
    const odd = mkdtempSync(join(tmpdir(), 'run [1] *'))
    cpSync(root, odd, { recursive: true })
    try {
      expect((await queryRun(await findRunFolders(odd), 'select value from lake')).rows).toHaveLength(3)
    } finally {
      rmSync(odd, { recursive: true, force: true })
    }
  })

  it.each([
    ['a file anywhere', (file: string) => `copy (select 1) to '${file}'`, /Only queries|Permission/],
    ["a file in the run's folder", () => `copy (select 1) to '${quotedRoot}/x.csv'`, /Only queries/],
    ['a database', () => `attach '${quotedRoot}/x.csv' as x`, /Only queries/],
    ['a setting', () => 'set threads = 1', /Only queries/],
    ['a file of others, to read', () => `select * from read_text('/etc/hostname')`, /Permission/],
  ])('does not let a query reach %s', async (_, sql, message) => {
    const file = join(tmpdir(), `written-${process.pid}.csv`)

    await expect(queryRun(folders, sql(file))).rejects.toThrow(message)
    expect(existsSync(file) || existsSync(join(root, 'x.csv'))).toBe(false)
  })

  it('answers what takes several steps', async () => {
    const { columns } = await queryRun(folders, 'pivot lake on event_type using count(*)')

    expect(columns).toEqual(expect.arrayContaining(['click', 'view']))
  })

  it('says in one line what is wrong with a query', async () => {
    await expect(queryRun(folders, 'select nothing from lake')).rejects.toThrow(
      /^The query failed: .*nothing.*$/,
    )
  })
})

describe('formatTable', () => {
  it('aligns text to the left and numbers to the right', () => {
    const table = formatTable({
      columns: ['type', 'n'],
      rows: [
        ['click', 5],
        ['a', 1234],
      ],
    })

    expect(table.split('\n')).toEqual(['type      n', '─────  ────', 'click     5', 'a      1234'])
  })

  it('cuts cells that are wider than asked', () => {
    const result = { columns: ['x'], rows: [['a'.repeat(50)]] }

    expect(formatTable(result, 10)).toContain(`${'a'.repeat(9)}…`)
    expect(formatTable(result)).toContain('a'.repeat(50))
  })

  it('takes more rows than a function takes arguments', () => {
    const rows = Array.from({ length: 200_000 }, (_, index) => [index])

    expect(formatTable({ columns: ['n'], rows }).split('\n')).toHaveLength(200_002)
  })

  it('shows control characters instead of obeying them', () => {
    const table = formatTable({ columns: ['x'], rows: [['\u001b[31mred\u0007\u202e']] })

    expect(table).toContain('\\u001b[31mred\\u0007\\u202e')
    expect(table).not.toContain('\u001b')
  })
})
