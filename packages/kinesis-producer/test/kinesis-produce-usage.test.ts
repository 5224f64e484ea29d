import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { type Local, startLocal } from '@org/kinesis-local'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { produce } from './produce-process.js'

let local: Local
const arn = 'arn:aws:kinesis:us-east-1:000000000000:stream/s'
const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }

beforeAll(async () => {
  local = await startLocal({ streams: [{ name: 'orders' }] })
})

afterAll(() => local.close())

const to = (stream: string) => ['--stream-name', stream, '--endpoint-url', local.url]

describe('the usage of kinesis-produce', () => {
  it.each<[string, () => string[], RegExp, NodeJS.ProcessEnv?]>([
    ['an unknown flag', () => [...to('s'), '--speed', '5'], /unknown option '--speed'/],
    ['no stream', () => [], /Pass --stream-name NAME, or --stream-arn ARN\./],
    ['two streams', () => [...to('s'), '--stream-arn', arn], /--stream-name or --stream-arn, not both/],
    ['a name that no stream can have', () => to('bad name!'), /--stream-name.*1 to 128 letters/],
    ['an ARN that is none', () => ['--stream-arn', 'orders'], /--stream-arn.*arn:aws:kinesis:eu-west-1/],
    ['a rate of zero', () => [...to('s'), '--rate', '0'], /--rate.*Give a number above 0/],
    ['a linger that is none', () => [...to('s'), '--linger-ms', '1e3'], /whole number from 0 to 60000/],
    ['a delimiter of two', () => [...to('s'), '--delimiter', ',;'], /Give one character/],
    [
      'a regex without a group',
      () => [...to('s'), '--partition-key-regex', '^\\S+'],
      /has 0 capture groups\. Give one/,
    ],
    [
      'a regex that is none',
      () => [...to('s'), '--partition-key-regex', '('],
      /--partition-key-regex.*group/i,
    ],
    [
      'a field of lines',
      () => [...to('s'), '--partition-key', 'id'],
      /--partition-key has no effect on lines: pass --format ndjson or --format csv/,
    ],
    [
      'an order of random keys',
      () => [...to('s'), '--ordering', 'per-key'],
      /no effect on random keys: pass --partition-key-regex/,
    ],
    ['standard input twice', () => [...to('s'), '-', '-'], /name - once/],
    ['a file that is not there', () => [...to('s'), '/no/such'], /\/no\/such does not exist/],
    ['a folder', () => [...to('s'), tmpdir()], /is a folder/],
    ['files of two formats', () => [...to('s'), 'a.csv', 'b.ndjson.gz'], /csv and ndjson.*pass --format/],
    ['a stream that is not there', () => to('nowhere'), /The stream nowhere was not found/],
    [
      'records that the stream does not take',
      () => [...to('orders'), '--max-record-bytes', '2000000'],
      /--max-record-bytes: 2000000.*The stream takes 1048576/,
    ],
    [
      'an endpoint where nobody listens',
      () => ['--stream-name', 's', '--endpoint-url', 'http://127.0.0.1:1'],
      /http:\/\/127\.0\.0\.1:1: The endpoint cannot be reached \(ECONNREFUSED.*--endpoint-url/,
    ],
    [
      'no credentials',
      () => ['--stream-name', 's', '--region', 'eu-west-1'],
      /There are no AWS credentials\. Log in/,
    ],
    [
      'a profile that is not there',
      () => ['--stream-name', 's', '--region', 'eu-west-1', '--profile', 'none'],
      /no AWS credentials of the profile none\./,
      keys,
    ],
    ['no region', () => ['--stream-name', 's'], /There is no AWS region\. Pass --region/, keys],
    [
      'an endpoint in the environment that is none',
      () => ['--stream-name', 's'],
      /AWS_ENDPOINT_URL.*localhost.*Give a URL/,
      { AWS_ENDPOINT_URL: 'localhost' },
    ],
  ])('answers %s with one clear line and status 2, before it reads', async (_, args, message, env = {}) => {
    const { status, stdout, stderr } = await produce(args(), { env })

    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect(stdout).toBe('')
    expect(status).toBe(2)
  })

  it('says of a stream that is being created that it is not there yet', async () => {
    const slow = await startLocal({ streamTransitionMs: 60_000 })
    slow.kinesis.call('CreateStream', { StreamName: 'new', ShardCount: 1 })

    const { status, stderr } = await produce(['--stream-name', 'new', '--endpoint-url', slow.url])
    await slow.close()

    expect(stderr).toBe(
      'kinesis-produce: The stream new is CREATING. Wait until it is ACTIVE, or name another one.\n',
    )
    expect(status).toBe(2)
  })

  it.each(['AccessDeniedException', 'LimitExceededException'])(
    'goes on where the question for the stream is answered with %s',
    async (code) => {
      const proxy = createServer(async (request, response) => {
        if (String(request.headers['x-amz-target']).endsWith('DescribeStreamSummary')) {
          response.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
          response.end(JSON.stringify({ __type: code, message: 'no' }))
          return
        }
        const forwarded = { method: 'POST', headers: request.headers, path: '/' }
        request.pipe(
          httpRequest(local.url, forwarded, (answer) => {
            response.writeHead(answer.statusCode!, answer.headers)
            answer.pipe(response)
          }),
        )
      })
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
      const { port } = proxy.address() as AddressInfo

      const { status, stdout, stderr } = await produce(
        ['--stream-name', 'orders', '--endpoint-url', `http://127.0.0.1:${port}`],
        { input: 'line\n' },
      )
      proxy.close()

      expect(stderr).toBe('')
      expect(stdout).toContain('1 read, 1 delivered')
      expect(status).toBe(0)
    },
  )

  it('answers --version and --help', async () => {
    expect((await produce(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    const help = await produce(['--help'])
    expect(help.status).toBe(0)
    expect(help.stdout).toContain('tail -F access.log | kinesis-produce --stream-name logs')
  })
  it('is told by the README, flag by flag', async () => {
    const [, section] = readFileSync(new URL('../README.md', import.meta.url), 'utf8').split(
      '\n## Command line\n',
    )
    const flagsIn = (text: string) => new Set(text.match(/--[a-z][a-z-]+/g))
    const { stdout } = await produce(['--help'])

    const told = flagsIn(section!.split('\n## ')[0]!)

    expect([...flagsIn(stdout)].filter((flag) => !told.has(flag))).toEqual([])
    expect([...told].filter((flag) => !flagsIn(stdout).has(flag))).toEqual([])
  })

  it('costs nobody anything who only imports the package', async () => {
    const script = `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ resolve: (name, context, next) => (loaded.push(name), next(name, context)) })
      await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)})
      console.log(loaded.join(' '))`

    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])

    expect(stdout).toContain('@aws-sdk/client-kinesis')
    expect(stdout).not.toMatch(/commander|csv-parse/)
  })
})
