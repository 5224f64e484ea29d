import { KinesisMonitor } from '@org/kinesis-monitor'

const monitor = new KinesisMonitor({ streamName: process.env.STREAM_NAME ?? 'clicks' })

const health = await monitor.checkStreamHealth({ consumers: 1 })
console.log(`Stream health: ${health.overallStatus}`)
for (const finding of health.findings) {
  console.log(
    `${finding.severity} ${finding.issue}: ${finding.evidence}\n  ${finding.cause}\n  ${finding.remedy}`,
  )
}

const { metrics } = await monitor.getStreamMetrics({ periodMinutes: 15 })
console.log(`Records written: ${metrics.incomingRecords.sum ?? 'none known'}`)

for await (const record of monitor.followStream({
  from: 'TRIM_HORIZON',
  signal: AbortSignal.timeout(3_000),
})) {
  console.log(record.shardId, record.partitionKey, Buffer.from(record.data).toString())
}
monitor.close()
