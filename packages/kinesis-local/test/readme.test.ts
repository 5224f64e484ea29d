import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const example = fileURLToPath(new URL('../examples/put-and-read.ts', import.meta.url))
const readme = fileURLToPath(new URL('../README.md', import.meta.url))

describe('the example in the README', () => {
  it('is the one that is tested', async () => {
    expect(await readFile(readme, 'utf8')).toContain(`\`\`\`ts\n${await readFile(example, 'utf8')}\`\`\``)
  })

  it('reads what it put, and the process ends by itself', async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [example], { timeout: 20_000 })

    expect(stderr).toBe('')
    expect(stdout).toBe('customer-1: an order\n')
  })
})
