import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PROCESSING_NAMESPACE } from '@org/kinesis-core'
import { kinesisEvent } from '@org/kinesis-core/testing'
import { startLocal } from '@org/kinesis-local'
import { expect, it } from 'vitest'
import { processedDataTable, windowsTable } from '../src/demo/tables.js'
import { synthStack } from './cdk/support/stacks.js'

interface Metric {
  Namespace?: string
  MetricName?: string
  Dimensions?: { Name: string; Value: string }[]
}

const handlersDirectory = fileURLToPath(new URL('../dist/handlers', import.meta.url))

it('emits, under the synthesized environment, every metric of its own that an alarm waits for', async () => {
  const outdir = mkdtempSync(join(tmpdir(), 'alarm-metrics-'))
  const { template } = synthStack({ handlersDirectory, outdir })
  const alarmed = Object.values(template.findResources('AWS::CloudWatch::Alarm'))
    .flatMap(({ Properties }) => [
      Properties as Metric,
      ...((Properties.Metrics ?? []) as { MetricStat?: { Metric: Metric } }[]).flatMap(({ MetricStat }) =>
        MetricStat === undefined ? [] : [MetricStat.Metric],
      ),
    ])
    .filter(({ Namespace }) => Namespace === PROCESSING_NAMESPACE)
  const functions = Object.values(template.findResources('AWS::Lambda::Function'))
  const variables = functions.map(({ Properties }) => Properties.Environment?.Variables ?? {})
  const environment = variables.find((names) => 'PROCESSED_TABLE_NAME' in names)!

  await using local = await startLocal({
    tables: [processedDataTable('processed'), windowsTable('windows')],
    queues: ['rejected'],
  })
  const processor = local.createFunction({
    name: 'stream-processor',
    file: join(handlersDirectory, 'stream-processor/index.mjs'),
    environment: {
      // What the stack fixes is taken from it; what only a deployment knows is of this machine.
      ...(Object.fromEntries(
        Object.entries(environment).filter(([, value]) => typeof value === 'string'),
      ) as Record<string, string>),
      PROCESSED_TABLE_NAME: 'processed',
      REJECTED_QUEUE_URL: local.queueUrl('rejected'),
    },
  })
  const event = kinesisEvent([
    { data: { event_id: 'e1', user_id: 'u', event_type: 'click', value: 1 }, arrivalMs: Date.now() },
    { data: 'no json', arrivalMs: Date.now() },
  ])

  const result = await processor.invoke(event)

  expect(result).toMatchObject({ ok: true, payload: { batchItemFailures: [] } })
  expect(alarmed.length).toBeGreaterThan(0)
  for (const { MetricName, Dimensions = [] } of alarmed) {
    const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]))
    await expect
      .poll(() => local.metrics.series(PROCESSING_NAMESPACE, MetricName!, dimensions) !== undefined, {
        message: `${MetricName} with ${JSON.stringify(dimensions)}`,
      })
      .toBe(true)
  }
  rmSync(outdir, { recursive: true, force: true })
})
