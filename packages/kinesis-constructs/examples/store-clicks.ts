/** Your handler; `kinesisHandler` of `@org/kinesis-processor` makes one that answers like this. */
export async function handler(event: { Records: { kinesis: { data: string } }[] }) {
  for (const { kinesis } of event.Records) console.log(Buffer.from(kinesis.data, 'base64').toString())
  return { batchItemFailures: [] }
}
