import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { startClicks } from './support/local-stream.js'

const packageFile = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

describe('the example of the README', () => {
  it('is the file that this test runs', async () => {
    const readme = await readFile(packageFile('README.md'), 'utf8')
    const example = await readFile(packageFile('examples/stream-health.ts'), 'utf8')

    expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``)
  })

  it('says how the stream is, and what is in it', async () => {
    await using clicks = await startClicks()
    await clicks.put([{ key: 'ann', value: '{"page":"/"}' }])

    const { stdout } = await promisify(execFile)(
      process.execPath,
      [packageFile('examples/stream-health.ts')],
      {
        env: { ...process.env, ...clicks.local.environment, STREAM_NAME: 'clicks' },
      },
    )

    expect(stdout).toContain('Stream health: UNKNOWN')
    expect(stdout).toContain('Records written: 1')
    expect(stdout).toMatch(/shardId-\d{12} ann \{"page":"\/"\}/)
  })
})
