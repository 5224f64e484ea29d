import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findRunFolders, type RunFolders } from './data-dir.js'
import { formatTable, queryLake } from './query.js'

const root = mkdtempSync(join(tmpdir(), "lake with ' quote-"))
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

describe('queryLake', () => {
  it('answers from all objects of the lake, whatever their fields, and from none of the errors', async () => {
    expect(
      await queryLake(folders, 'select event_type, count(*)::int as events from lake group by 1 order by 1'),
    ).toEqual({
      columns: ['event_type', 'events'],
      rows: [
        ['click', 2],
        ['view', 1],
      ],
    })
  })

  it('knows the time of the folders', async () => {
    const { rows } = await queryLake(
      folders,
      'select distinct year::int, month::int, day::int, hour::int from lake',
    )

    expect(rows).toEqual([[2026, 1, 2, 7]])
  })

  it('says in one line what is wrong with a query', async () => {
    await expect(queryLake(folders, 'select nothing from lake')).rejects.toThrow(
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

  it('shows control characters instead of obeying them', () => {
    const table = formatTable({ columns: ['x'], rows: [['\u001b[31mred\u0007\u202e']] })

    expect(table).toContain('\\u001b[31mred\\u0007\\u202e')
    expect(table).not.toContain('\u001b')
  })
})
