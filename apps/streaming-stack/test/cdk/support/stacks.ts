import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, type StackProps } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import type { StackParameters } from '../../../src/cdk/parameters.js'
import { StreamingStack } from '../../../src/cdk/streaming-stack.js'

/** As `cdk synth` would have it: with it, a finding of CDK's validation makes `Template.fromStack` fail. */
export const { context } = JSON.parse(readFileSync(new URL('../../../cdk.json', import.meta.url), 'utf8'))

/** Handlers that do nothing: what the stack makes of a handler's folder does not depend on what is in it. */
export function makeHandlers(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'stack-handlers-'))
  for (const name of ['stream-processor', 'data-transform', 'windows']) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'index.mjs'), `export const handler = async () => '${name}'\n`)
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export interface Synthesized {
  stack: StreamingStack
  template: Template
  outdir: string
}

export function synthStack(
  folders: { handlersDirectory: string; outdir: string },
  parameters: Partial<StackParameters> = {},
  props: StackProps = {},
): Synthesized {
  const app = new App({ context, outdir: folders.outdir })
  const stack = new StreamingStack(app, 'StreamingStack', {
    parameters: {
      projectName: 'kinesis-streaming',
      environmentName: 'dev',
      initialShardCount: 2,
      retentionPeriodHours: 24,
      ...parameters,
    },
    handlersDirectory: folders.handlersDirectory,
    ...props,
  })
  return { stack, template: Template.fromStack(stack), outdir: folders.outdir }
}

/** Of a resource, as CDK types what it has read back: untyped. */
export type Properties = ReturnType<Template['findResources']>[string]
