import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { post } from './support/clients.js'

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
const readme = fileURLToPath(new URL('../README.md', import.meta.url))
const running: ChildProcess[] = []

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

/** Runs the command to its end. */
function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { timeout: 10_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

/** Starts the command and waits until it has said everything. */
async function start(...args: string[]): Promise<{ child: ChildProcess; output: string; url: string }> {
  const child = spawn(process.execPath, [cli, '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  let output = ''
  for await (const chunk of child.stdout!) {
    output += chunk
    if (output.includes('AWS_SECRET_ACCESS_KEY')) break
  }
  return { child, output, url: /AWS_ENDPOINT_URL=(\S+)/.exec(output)![1]! }
}

describe('kinesis-local', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('serves until %s, and then ends cleanly', async (signal) => {
    const data = await mkdtemp(join(tmpdir(), 'kinesis-local-cli-'))
    const { child, output, url } = await start(
      ...[
        '--stream',
        'orders:3',
        '--stream',
        'clicks',
        '--topic',
        'alarms',
        '--queue',
        'rejected',
        '--region',
        'eu-west-1',
        '--data',
        data,
      ],
    )
    const summary = await post(url, 'Kinesis_20131202.DescribeStreamSummary', '{"StreamName":"orders"}')
    const streams = await post(url, 'Kinesis_20131202.ListStreams', '{}')

    expect(await summary.json()).toMatchObject({
      StreamDescriptionSummary: { OpenShardCount: 3, StreamARN: expect.stringContaining(':eu-west-1:') },
    })
    expect(await streams.json()).toMatchObject({ StreamNames: ['clicks', 'orders'] })
    const topics = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ Action: 'ListTopics', Version: '2010-03-31' }),
    })
    expect(await topics.text()).toContain(':eu-west-1:000000000000:alarms')
    expect(output).toContain(`listen on ${url}`)
    expect(output).toContain('export AWS_REGION=eu-west-1\nexport AWS_DEFAULT_REGION=eu-west-1\n')
    await access(join(data, 'local.json'))

    child.kill(signal)
    expect(await once(child, 'exit')).toEqual([0, null])
    await expect(access(join(data, 'local.json'))).rejects.toThrow()
    await rm(data, { recursive: true })
  })

  it('lets changes of streams take the time that is asked for', async () => {
    const { url } = await start('--stream', 'orders', '--stream-transition-ms', '60000')
    await post(url, 'Kinesis_20131202.CreateStream', '{"StreamName":"clicks","ShardCount":1}')

    const streams = await post(url, 'Kinesis_20131202.ListStreams', '{}')
    expect(await streams.json()).toMatchObject({
      StreamSummaries: [
        { StreamName: 'clicks', StreamStatus: 'CREATING' },
        { StreamName: 'orders', StreamStatus: 'ACTIVE' },
      ],
    })
  })

  it('leaves a service to the emulator that a flag names', async () => {
    const elsewhere = 'http://127.0.0.1:8000'
    const { child, output, url } = await start('--dynamodb-endpoint-url', elsewhere)
    const response = await post(url, 'DynamoDB_20120810.ListTables', '{}')

    expect(output).toContain(`export AWS_ENDPOINT_URL_DYNAMODB=${elsewhere}\n`)
    expect(await response.json()).toMatchObject({ __type: 'UnknownOperationException' })
    child.kill()
    await once(child, 'exit')
  })

  it('says how it is used', async () => {
    expect(await run('--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('--stream NAME[:N]'),
    })
  })

  it.each([
    [['--streams', 'x'], "Unknown option '--streams'. See kinesis-local --help."],
    [['orders'], "Unexpected argument 'orders'. See kinesis-local --help."],
    [['--port'], "Option '--port <value>' argument missing. See kinesis-local --help."],
    [['--port', 'eighty'], '--port: "eighty" is no whole number from 0 to 65535.'],
    [['--stream-transition-ms', '5s'], '--stream-transition-ms: "5s" is no whole number from 0 to 3600000.'],
    [['--persist'], 'persist: true cannot be used. Give a dataDir too: a temporary folder is not kept.'],
    [['--stream', 'orders:many'], '--stream orders:many: "many" is no whole number from 1 to 20000.'],
    [['--stream', 'orders:0'], '--stream orders:0: "0" is no whole number from 1 to 20000.'],
    [['--table', '/nowhere.json'], '--table /nowhere.json: it cannot be read as JSON (ENOENT'],
    [['--table', readme], `--table ${readme}: it cannot be read as JSON`],
    [
      ['--stream', 'a:1:2'],
      '--stream a:1:2: give a name, or a name and a number of shards, such as orders:2.',
    ],
    [['--port', '0', '--region', 'mars'], 'region: "mars" cannot be used. Give a region such as us-east-1.'],
  ])('answers a mistake with one line that names it: %o', async (args, message) => {
    const { code, stdout, stderr } = await run(...args)

    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain(`kinesis-local: ${message}`)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('makes a table from the input of CreateTable', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kinesis-local-cli-'))
    const file = join(folder, 'orders.json')
    await writeFile(
      file,
      JSON.stringify({
        TableName: 'orders',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    )
    const { child, url } = await start('--table', file)

    const tables = await post(url, 'DynamoDB_20120810.ListTables', '{}')

    expect(await tables.json()).toEqual({ TableNames: ['orders'] })
    child.kill('SIGTERM')
    await once(child, 'exit')
    await rm(folder, { recursive: true })
  })

  it('names the port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }

    const { code, stderr } = await run('--port', String(port))
    server.close()

    expect(code).toBe(1)
    expect(stderr).toBe(
      `kinesis-local: Port ${port} of 127.0.0.1 is in use. Choose another port, or 0 for a free one.\n`,
    )
  })
})
