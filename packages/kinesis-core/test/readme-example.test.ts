import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

it('runs the example of the README', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n(.*?)```/s.exec(readme)![1]!
  // Inside the package, so that its own name resolves as it does for a user.
  const folder = new URL('../.vitest/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const file = new URL('readme-example.ts', folder)
  writeFileSync(file, example)

  const output = execFileSync(process.execPath, [fileURLToPath(file)], { encoding: 'utf8' })

  expect(output.trim().split('\n')).toEqual([expect.stringMatching(/^[0-3]$/), `[ '{"n":1}', '{"n":2}' ]`])
})
