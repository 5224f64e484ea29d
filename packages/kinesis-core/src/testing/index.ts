export { type KinesisEventOptions, kinesisEvent, type TestRecord } from './kinesis-event.js'
export { type LambdaContextOptions, lambdaContext } from './lambda-context.js'
export { ManualClock } from './manual-clock.js'
