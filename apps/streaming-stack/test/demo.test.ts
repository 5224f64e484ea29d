import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { findRunFolders } from '../src/demo/data-dir.js'
import { queryRun } from '../src/demo/query.js'
import { views as documentedViews } from '../src/demo/views.js'
import { demoCli, runDemoProcess, temporaryFolder } from './demo-process.js'

const accessLog =
  process.env.APACHE_ACCESS_LOG ??
  fileURLToPath(new URL('../../../../shared/data/apache_access.log', import.meta.url))

describe('the demo', { timeout: 90_000 }, () => {
  it('balances with bad records, and shows each in the rejected sink with its reason', async () => {
    using folder = temporaryFolder()

    const { status, stdout, stderr } = await runDemoProcess([
      ...['--duration', '6', '--rate', '150', '--bad', '0.1', '--seed', '7'],
      ...['--json', folder.file('account.json'), '--data', folder.file('run')],
    ])

    expect(stderr).not.toMatch(/\n\s+at /)
    expect(stdout).toContain('The account balances')
    expect(status).toBe(0)
    const account = folder.json('account.json')
    expect(account).toMatchObject({
      lost: 0,
      duplicated: 0,
      outOfOrder: 0,
      deadLettered: 0,
      lakeDuplicates: 0,
    })
    // Open loop: the asked rate is the rate.
    expect(account.produced).toBeGreaterThanOrEqual(6 * 150 * 0.95)
    expect(account.produced).toBeLessThanOrEqual(6 * 150 * 1.05)
    expect(account.produced).toBe(account.stored + account.rejected)
    expect(account.delivered).toBe(account.produced - account.undecodable)
    expect(account.windowed).toBe(account.stored)
    expect(account.rejectedByReason).toMatchObject({
      undecodable: account.undecodable,
      invalid: expect.any(Number),
    })
    expect(account.p99LatencyMs).toBeGreaterThan(0)
    expect(account.peakRssBytes).toBeGreaterThan(50_000_000)
    const rejected = readFileSync(folder.file('run/rejected.ndjson'), 'utf8').trim().split('\n')
    expect(rejected).toHaveLength(account.rejected)
    expect(JSON.parse(rejected[0]!)).toMatchObject({
      reasonCode: expect.any(String),
      payload: expect.any(String),
    })

    expect(folder.json('run/topology.json')).toMatchObject({
      kind: 'local',
      edges: expect.arrayContaining([{ from: 'windows', to: 'window-failures', kind: 'dead-letters' }]),
    })

    const query = await runDemoProcess([
      ...['query', 'select count(*)::int as events, count(distinct event_type)::int as types from lake'],
      ...['--json', '--data', folder.file('run')],
    ])
    expect(query.stderr).toBe('')
    expect(JSON.parse(query.stdout).events).toBe(account.delivered)

    const views = await runDemoProcess([
      ...[
        'query',
        'select (select count(*) from processed)::int as p, (select sum(event_count) from windows)::int as w',
      ],
      ...['--json', '--data', folder.file('run')],
    ])
    expect(JSON.parse(views.stdout)).toEqual({ p: account.stored, w: account.windowed })

    const folders = await findRunFolders(folder.file('run'))
    for (const [name, { columns }] of Object.entries(documentedViews)) {
      const result = await queryRun(folders, `select * from ${name} limit 1`)
      expect(result.columns.sort(), name).toEqual(Object.keys(columns).sort())
    }

    const wrong = await runDemoProcess(['query', 'selec 1', '--data', folder.file('run')])
    expect(wrong.stderr).toMatch(/syntax error/)
    expect(wrong.status).toBe(1)
  })

  it('balances on eight shards, and when the processor is killed between write and answer', async () => {
    using folder = temporaryFolder()

    const { status, stdout } = await runDemoProcess([
      ...['--duration', '8', '--rate', '300', '--shards', '8', '--chaos', 'crash', '--bad', '0.02'],
      ...['--json', folder.file('account.json'), '--data', folder.file('run')],
    ])

    expect(stdout).toContain('The account balances')
    expect(status).toBe(0)
    expect(folder.json('account.json')).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 })
    expect(folder.json('account.json').crashes).toBeGreaterThan(0)
  })

  it('replays what comes through standard input, and says what it skipped and what had no effect', async () => {
    using folder = temporaryFolder()
    const lines = Array.from({ length: 50 }, (_, index) =>
      JSON.stringify({
        who: `user ${index % 5}`,
        what: 'click',
        when: `2026-01-01T00:00:${10 + (index % 50)}Z`,
      }),
    )

    const { status, stdout, stderr } = await runDemoProcess(
      [
        ...['--replay', '-', '--map', 'user_id=who,event_type=what,timestamp=when,value=price'],
        ...['--on-bad-line', 'skip', '--json', folder.file('run/mine.json'), '--data', folder.file('run')],
      ],
      [...lines, '{broken', '[1]'].join('\n'),
    )

    expect(stderr).not.toContain('demo:')
    expect(stderr).toContain('warning: --map value=price: no line has a field price.')
    expect(stdout).toMatch(/skipped lines\s+2 /)
    expect(status).toBe(0)
    expect(folder.json('run/mine.json')).toMatchObject({
      skippedLines: 2,
      produced: 50,
      stored: 50,
      windowed: 50,
      delivered: 50,
    })
  })

  it('accounts for numbers of any size, and for ids that come again', async () => {
    using folder = temporaryFolder()
    const values = [1234567890123456789n, '1e25', '1e110', '1e300', '1e-200', '1e-110']
    const lines = [
      ...values.map((value, n) => `{"event_id":"e${n}","user_id":"u","event_type":"t","value":${value}}`),
      '{"event_id":"again","user_id":"u","event_type":"t","timestamp":"2026-01-01T00:00:00Z"}',
      '{"event_id":"again","user_id":"u","event_type":"t","timestamp":"2026-01-01T00:00:00Z"}',
    ]

    const { status, stdout } = await runDemoProcess(
      ['--replay', '-', '--data', folder.file('run'), '--json', '/dev/full'],
      lines.join('\n'),
    )

    // A disk that is full costs the file of --json, and not the account.
    expect(status).toBe(1)
    expect(stdout).toContain('The account balances')
    expect(folder.json('run/account.json')).toMatchObject({
      produced: 7,
      stored: 5,
      rejectedByReason: { unstorable: 2 },
      repeatedIds: 1,
      windowed: 8,
    })
  })

  it.skipIf(!existsSync(accessLog))(
    `replays 10,000 requests of a web server's log (skipped unless APACHE_ACCESS_LOG names one)`,
    async () => {
      using folder = temporaryFolder()

      const { status, stdout } = await runDemoProcess([
        ...['--replay', accessLog, '--format', 'clf', '--speed', 'max'],
        ...['--json', folder.file('account.json'), '--data', folder.file('run')],
      ])

      expect(stdout).toContain('The account balances')
      expect(status).toBe(0)
      expect(folder.json('account.json')).toMatchObject({
        produced: 10_000,
        stored: 10_000,
        delivered: 10_000,
        windowed: 10_000,
        rejected: 0,
      })
    },
  )

  it.each([
    ['an unknown flag', ['--rat', '5'], /unknown option '--rat'/],
    ['a rate of zero', ['--rate', '0'], /Give a number above 0/],
    ['too many shards', ['--shards', '101'], /from 1 to 100/],
    ['a speed of zero', ['--replay', '-', '--speed', '0'], /--speed.*Give a number above 0, or max/],
    ['a map that is none', ['--replay', '-', '--map', 'user=who'], /--map.*Write NAME=FIELD/],
    ['a flag for replays without one', ['--speed', '2'], /--speed has no effect without --replay/],
    ['a rate for a replay', ['--replay', '-', '--rate', '5'], /--rate has no effect with --replay/],
    ['an empty name of a folder', ['--data', ''], /--data.*It is empty\./],
    [
      'a flag of a query before it',
      ['--data', 'x', 'query', 'select 1'],
      /--data has no effect before query/,
    ],
    [
      'a file that is not there',
      ['--replay', '/no/such/file.log', '--format', 'clf'],
      /\/no\/such\/file\.log/,
    ],
    ['a folder for a file', ['--replay', '/tmp'], /\/tmp is a folder\. Check --replay/],
    [
      'an account that cannot be written',
      ['--duration', '1', '--json', '/no/such/account.json'],
      /\/no\/such does not exist\. Check --json/,
    ],
    ['a data folder inside a file', ['--data', `${demoCli}/run`], /cannot be used \(ENOTDIR\)/],
    ['a folder without a lake', ['query', 'select 1', '--data', '/no/such/folder'], /holds no lake/],
  ])('answers %s with one clear line and a status', async (_, args, message) => {
    const { status, stdout, stderr } = await runDemoProcess(args)

    expect(`${stdout}${stderr}`).toMatch(message)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect(status).not.toBe(0)
  })

  it('refuses a data folder that is not empty', async () => {
    const { status, stderr } = await runDemoProcess(['--data', fileURLToPath(new URL('.', import.meta.url))])

    expect(stderr).toMatch(/is not empty/)
    expect(status).toBe(1)
  })

  it('names the line that cannot be read, when what came before it is accounted for', async () => {
    using folder = temporaryFolder()

    const { status, stdout, stderr } = await runDemoProcess(
      ['--replay', '-', '--data', folder.file('run')],
      '{"user_id":"a","event_type":"b"}\n{broken\n',
    )

    expect(stdout).toContain('The account balances')
    expect(folder.json('run/account.json')).toMatchObject({ produced: 1, stored: 1, delivered: 1 })
    expect(stderr).toMatch(/\ndemo: Line 2: it is no JSON\. .*--on-bad-line skip\.\n$/)
    expect(status).toBe(1)
  })
})
