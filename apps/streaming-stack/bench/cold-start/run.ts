import type { KinesisBatchResponse, KinesisEvent, LambdaContext } from '@org/kinesis-core'
import { answerTask } from '../../../../bench/answer-task.ts'

export interface ColdStart {
  importMs: number
  totalMs: number
}

type Handler = (event: KinesisEvent, context: LambdaContext) => Promise<KinesisBatchResponse>

answerTask(async ({ event }: { event: KinesisEvent }): Promise<ColdStart> => {
  const bundle = new URL('../../dist/handlers/stream-processor/index.mjs', import.meta.url)
  const startedAtMs = performance.now()
  const { handler } = (await import(bundle.href)) as { handler: Handler }
  const importMs = performance.now() - startedAtMs
  const { batchItemFailures } = await handler(event, {
    functionName: 'bench',
    awsRequestId: 'bench',
    getRemainingTimeInMillis: () => 60_000,
  })
  if (batchItemFailures.length > 0) throw new Error('The event was not processed.')
  return { importMs, totalMs: performance.now() - startedAtMs }
})
