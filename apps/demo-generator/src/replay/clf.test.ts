import { describe, expect, it } from 'vitest'
import { parseLogLine } from './clf.js'

const combined =
  '83.149.9.216 - frank [17/May/2015:10:05:03 +0200] "GET /a?b=c HTTP/1.1" 200 203023 "http://x.example/" "Mozilla/5.0 (Mac \\"quoted\\")"'

describe('parseLogLine', () => {
  it('reads the combined format', () => {
    expect(parseLogLine(combined)).toEqual({
      host: '83.149.9.216',
      ident: '-',
      user: 'frank',
      time: '2015-05-17T10:05:03+02:00',
      method: 'GET',
      path: '/a?b=c',
      protocol: 'HTTP/1.1',
      status: 200,
      bytes: 203023,
      referrer: 'http://x.example/',
      agent: 'Mozilla/5.0 (Mac "quoted")',
    })
  })

  it('reads the common format, whose `-` bytes are 0', () => {
    const request = parseLogLine('::1 - - [01/Jan/2026:00:00:00 +0000] "HEAD / HTTP/1.0" 304 -')

    expect(request).toMatchObject({ host: '::1', method: 'HEAD', bytes: 0 })
    expect(request).not.toHaveProperty('agent')
  })

  it.each([
    [
      'a user with spaces',
      'h - John Smith [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1',
      { user: 'John Smith' },
    ],
    ['no request at all', 'h - - [01/Jan/2026:00:00:00 +0000] "" 408 0 "-" "-"', { method: '', path: '' }],
    [
      'bytes instead of a request',
      'h - - [01/Jan/2026:00:00:00 +0000] "\\x16\\x03\\x01" 400 226',
      { method: '\\x16\\x03\\x01' },
    ],
    [
      'an agent whose end was cut off',
      'h - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "Mozilla/5.0 (',
      { agent: 'Mozilla/5.0 (' },
    ],
  ])('reads a line with %s', (_, line, expected) => {
    expect(parseLogLine(line)).toMatchObject(expected)
  })

  it.each([
    '',
    'not a log line',
    'h - - [01/Foo/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1',
    'h - - [01/Jan/2026 00:00:00] "GET / HTTP/1.1" 200 1',
    'h - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" two 1',
  ])('refuses %j', (line) => {
    expect(parseLogLine(line)).toBeUndefined()
  })

  it('takes no longer than its length asks for on hostile lines', () => {
    const startedAtMs = performance.now()
    for (const line of [
      `h - ${'a '.repeat(50_000)}`,
      `h - - [x] "${'\\"'.repeat(50_000)}`,
      '"'.repeat(100_000),
    ]) {
      expect(parseLogLine(line)).toBeUndefined()
    }
    expect(performance.now() - startedAtMs).toBeLessThan(5_000)
  })
})
