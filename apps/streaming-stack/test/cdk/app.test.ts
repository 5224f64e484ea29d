import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { RootConstruct } from 'constructs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readParameters } from '../../src/cdk/parameters.js'

const run = promisify(execFile)
const appFolder = fileURLToPath(new URL('../..', import.meta.url))

function parametersOf(context: Record<string, unknown>) {
  const { node } = new RootConstruct()
  for (const [name, value] of Object.entries(context)) node.setContext(name, value)
  return readParameters(node)
}

describe('the parameters', () => {
  it('have defaults for a small pipeline', () => {
    expect(parametersOf({})).toEqual({
      projectName: 'kinesis-streaming',
      environmentName: 'dev',
      initialShardCount: 2,
      retentionPeriodHours: 24,
    })
  })

  it('are text from the command line, and numbers from cdk.json', () => {
    const parameters = { projectName: 'a-b2', environmentName: 'prod' }

    expect(parametersOf({ ...parameters, initialShardCount: '100', retentionPeriodHours: 168 })).toEqual({
      ...parameters,
      initialShardCount: 100,
      retentionPeriodHours: 168,
    })
  })

  it.each([
    ['initialShardCount', '0', 'initialShardCount: "0" cannot be used. Use a whole number from 1 to 100.'],
    ['initialShardCount', 101, 'initialShardCount: 101 cannot be used. Use a whole number from 1 to 100.'],
    [
      'initialShardCount',
      '2.5',
      'initialShardCount: "2.5" cannot be used. Use a whole number from 1 to 100.',
    ],
    ['initialShardCount', '', 'initialShardCount: "" cannot be used. Use a whole number from 1 to 100.'],
    ['initialShardCount', true, 'initialShardCount: true cannot be used. Use a whole number from 1 to 100.'],
    [
      'retentionPeriodHours',
      23,
      'retentionPeriodHours: 23 cannot be used. Use a whole number from 24 to 168.',
    ],
    [
      'retentionPeriodHours',
      '169',
      'retentionPeriodHours: "169" cannot be used. Use a whole number from 24 to 168.',
    ],
    ['environmentName', 'test', 'environmentName: "test" cannot be used. Use one of dev, staging, prod.'],
    ['environmentName', 'Dev', 'environmentName: "Dev" cannot be used. Use one of dev, staging, prod.'],
  ])('refuse %s %j in one line', (name, value, message) => {
    expect(() => parametersOf({ [name]: value })).toThrow(message)
  })

  it.each(['', 'Clicks', '1click', 'a_b', '-a', 'a-', 'a--b', 'p'.repeat(33), 5])(
    'refuse the project name %j, of which some resource could not be named',
    (projectName) => {
      expect(() => parametersOf({ projectName })).toThrow(/^projectName: .* Use 1 to 32 lower-case letters/)
    },
  )
})

describe('the app as cdk runs it', () => {
  let outdir: string
  // The command of the pinned aws-cdk, by its file: a wrapper of the package manager would only cost time.
  const cdk = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin', 'cdk')
  const synth = (...context: string[]) =>
    run(
      process.execPath,
      [cdk, 'synth', '--quiet', '--output', outdir, ...context.flatMap((one) => ['-c', one])],
      { cwd: appFolder, env: { ...process.env, AWS_EC2_METADATA_DISABLED: 'true', HOME: outdir } },
    )

  beforeAll(async () => {
    outdir = await mkdtemp(join(tmpdir(), 'stack-app-'))
  })

  afterAll(async () => {
    await rm(outdir, { recursive: true, force: true })
  })

  it('synthesizes without an account, ships the built handlers, and leaves the topology beside the template', async () => {
    await synth('environmentName=staging')

    const files = await readdir(outdir)
    expect(files).toEqual(
      expect.arrayContaining(['StreamingStack.template.json', 'kinesis-streaming-staging.topology.json']),
    )
    const shipped = await Promise.all(
      files
        .filter((name) => name.startsWith('asset.'))
        .map(async (name) => (await readdir(join(outdir, name))).includes('index.mjs') && name),
    )
    const sources = await Promise.all(
      shipped
        .filter((name) => name !== false)
        .map((name) => readFile(join(outdir, name, 'index.mjs'), 'utf8')),
    )
    for (const handler of ['stream-processor', 'data-transform', 'windows']) {
      expect(sources).toContain(await readFile(join(appFolder, `dist/handlers/${handler}/index.mjs`), 'utf8'))
    }
  })

  it('says in one line what is out of range, and fails', async () => {
    const error = await synth('initialShardCount=1000').then(
      () => undefined,
      (thrown: { stderr: string; code: number }) => thrown,
    )

    expect(error?.code).toBe(1)
    expect(error?.stderr).toContain(
      'initialShardCount: "1000" cannot be used. Use a whole number from 1 to 100.\n',
    )
    expect(error?.stderr).not.toMatch(/\n\s+at .*parameters/)
  })
})
