import {
  DataLake,
  DataLakeDelivery,
  EncryptedStream,
  ProcessedDataTable,
  StreamMonitoring,
  StreamProcessor,
} from '@org/kinesis-constructs'
import { App, Stack } from 'aws-cdk-lib'

const app = new App({ context: { '@aws-cdk/core:validateAgainstDefaultRules': true } })
const stack = new Stack(app, 'Clicks')

const { stream } = new EncryptedStream(stack, 'Stream', { shardCount: 4 })
const table = new ProcessedDataTable(stack, 'Table')
const handler = { entry: 'store-clicks.ts' }
const processor = new StreamProcessor(stack, 'Processor', { stream, table, handler })
const { bucket } = new DataLake(stack, 'Lake')
const delivery = new DataLakeDelivery(stack, 'Delivery', { stream, bucket })
new StreamMonitoring(stack, 'Monitoring', { stream, processor, delivery })

app.synth()
