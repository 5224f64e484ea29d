import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)
const packageFile = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

describe('the built package', () => {
  it('can be required, and synthesizes', async () => {
    const script = `
      const { EncryptedStream } = require('@org/kinesis-constructs')
      const { App, Stack } = require('aws-cdk-lib')
      const { Template } = require('aws-cdk-lib/assertions')
      const stack = new Stack(new App(), 'Test')
      new EncryptedStream(stack, 'Stream')
      console.log(Object.keys(Template.fromStack(stack).findResources('AWS::Kinesis::Stream')).length)
      try { new EncryptedStream(stack, 'Other', { shardCount: 0 }) } catch (error) { console.log(error.message) }
    `
    const { stdout } = await run(process.execPath, ['--input-type=commonjs', '-e', script], {
      cwd: packageFile('.'),
    })

    expect(stdout.trim().split('\n')).toEqual([
      '1',
      'shardCount: 0 cannot be used. Use a whole number of 1 or more.',
    ])
  })
})

describe('the example of the README', () => {
  it('is the file that this test runs', async () => {
    const readme = await readFile(packageFile('README.md'), 'utf8')
    const example = await readFile(packageFile('examples/pipeline.ts'), 'utf8')

    expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``)
  })

  it('synthesizes a pipeline with CDK finding nothing', async () => {
    const outdir = await mkdtemp(join(tmpdir(), 'constructs-example-'))
    try {
      await run(process.execPath, [packageFile('examples/pipeline.ts')], {
        cwd: packageFile('examples'),
        env: { ...process.env, CDK_OUTDIR: outdir },
      })

      const template = JSON.parse(await readFile(join(outdir, 'Clicks.template.json'), 'utf8'))
      const types = Object.values(template.Resources as Record<string, { Type: string }>).map(
        (one) => one.Type,
      )
      expect(types).toContain('AWS::KinesisFirehose::DeliveryStream')
      expect(types.filter((type) => type === 'AWS::CloudWatch::Alarm')).toHaveLength(13)
      const assets = (await readdir(outdir)).filter((name) => name.startsWith('asset.'))
      const bundled = await Promise.all(assets.map((name) => readdir(join(outdir, name))))
      expect(bundled).toContainEqual(['index.mjs'])
    } finally {
      await rm(outdir, { recursive: true, force: true })
    }
  })
})
