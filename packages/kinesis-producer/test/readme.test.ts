import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startLocal } from '@org/kinesis-local'
import { describe, expect, it } from 'vitest'

const example = fileURLToPath(new URL('../examples/produce.ts', import.meta.url))
const readme = fileURLToPath(new URL('../README.md', import.meta.url))

describe('the example in the README', () => {
  it('is the one that is tested', async () => {
    expect(await readFile(readme, 'utf8')).toContain(`\`\`\`ts\n${await readFile(example, 'utf8')}\`\`\``)
  })

  it('delivers every order, and the process ends by itself', async () => {
    const local = await startLocal({ streams: [{ name: 'orders', shards: 2 }] })
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [example], {
        env: { ...process.env, ...local.environment },
        timeout: 20_000,
      })

      expect(stderr).toBe('')
      expect(stdout).toBe('1000 delivered, 0 given up\n')
    } finally {
      await local.close()
    }
  })
})
