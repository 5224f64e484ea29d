import { glob, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { eventSourceMappingOptionNames } from '../src/event-source-mapping/mapping-options.js'
import { localFunctionOptionNames } from '../src/function/function-options.js'

const packages = fileURLToPath(new URL('../..', import.meta.url))

/** The rows of all tables between two headings of the README, cell by cell. */
async function rowsBetween(from: string, to: string): Promise<string[][]> {
  const text = await readFile(`${packages}/kinesis-local/README.md`, 'utf8')
  const start = text.indexOf(`\n${from}\n`)
  const end = text.indexOf(`\n${to}\n`, start)
  if (start === -1 || end === -1) throw new Error(`The README has no ${from} before a ${to}.`)
  return text
    .slice(start, end)
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| --'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter(([first]) => !['behaviour', 'question'].includes(first!) && !first!.startsWith('option of'))
}

const matrix = () => rowsBetween('### Support matrix', '## Delivery')

/** `file › title` of every test of the two packages: a text, and behind it a function. */
async function testTitles(): Promise<Set<string>> {
  const titles = new Set<string>()
  for (const name of ['kinesis-core', 'kinesis-local']) {
    for await (const file of glob('{src,test}/**/*.test.ts', { cwd: `${packages}/${name}` })) {
      const code = await readFile(`${packages}/${name}/${file}`, 'utf8')
      for (const [, , title] of code.matchAll(
        /(['"])((?:\\.|(?!\1).)*)\1,\s*(?:async\s*)?(?:\([^)]*\)|\w+)\s*=>/g,
      )) {
        titles.add(`\`${basename(file, '.test.ts')}\` › ${title!.replaceAll(/\\(.)/g, '$1')}`)
      }
    }
  }
  return titles
}

const namesIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)

describe('the support matrix in the README', () => {
  it('names a test for every behaviour, and each of them exists', async () => {
    const titles = await testTitles()
    const rows = await matrix()

    expect(rows.length).toBeGreaterThan(50)
    expect(rows.filter((row) => row.length !== 3)).toEqual([])
    expect(rows.map(([, , test]) => test).filter((test) => !titles.has(test!))).toEqual([])
  })

  it('names options that exist, and every one that there is to switch', async () => {
    const named = (await matrix()).flatMap(([, option]) => namesIn(option!))

    expect(named.filter((name) => !eventSourceMappingOptionNames.includes(name))).toEqual([])
    const unnamed = eventSourceMappingOptionNames.filter((name) => !named.includes(name))
    expect(unnamed).toEqual(['streamName', 'function'])
  })
})

describe('the tables of options in the README', () => {
  it('have all options of a function, and no others', async () => {
    const rows = await rowsBetween(
      '## Functions, event source mappings, delivery',
      '## Event source mappings',
    )

    expect(rows.flatMap(([name]) => namesIn(name!)).sort()).toEqual([...localFunctionOptionNames].sort())
  })

  it('have all options of a mapping, and no others', async () => {
    const rows = await rowsBetween('## Event source mappings', '### Support matrix')

    expect(rows.flatMap(([name]) => namesIn(name!)).sort()).toEqual([...eventSourceMappingOptionNames].sort())
  })
})
