import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'

/** A Kinesis of one stream with one shard, over TLS because KPL speaks nothing else, that keeps what is put. */
export async function startRecordingEndpoint(folder) {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name))
  const subject = ['-nodes', '-days', '2', '-subj', '/CN=127.0.0.1']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  })
  let data = []
  const server = createServer(
    { key: readFileSync(key), cert: readFileSync(cert) },
    async (request, response) => {
      const chunks = await request.toArray()
      const operation = request.headers['x-amz-target']?.split('.')[1]
      const input = operation === undefined ? {} : JSON.parse(Buffer.concat(chunks).toString())
      if (operation === 'PutRecords') data.push(...input.Records.map((record) => record.Data))
      const output = answers[operation]?.(input)
      response.writeHead(output === undefined ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' })
      response.end(JSON.stringify(output ?? { __type: 'InvalidArgumentException' }))
    },
  )
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: server.address().port,
    takeData() {
      const taken = data.map((base64) => Buffer.from(base64, 'base64').toString('hex'))
      data = []
      return taken
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const answers = {
  DescribeStreamSummary: ({ StreamName }) => ({
    StreamDescriptionSummary: {
      StreamName,
      StreamARN: `arn:aws:kinesis:us-east-1:000000000000:stream/${StreamName}`,
      StreamStatus: 'ACTIVE',
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: 1_700_000_000,
      EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
      EncryptionType: 'NONE',
      OpenShardCount: 1,
      ConsumerCount: 0,
    },
  }),
  ListShards: () => ({
    Shards: [
      {
        ShardId: 'shardId-000000000000',
        HashKeyRange: { StartingHashKey: '0', EndingHashKey: `${(1n << 128n) - 1n}` },
        SequenceNumberRange: {
          StartingSequenceNumber: '49590338271490256608559692538361571095921575989136588898',
        },
      },
    ],
  }),
  PutRecords: ({ Records }) => ({
    FailedRecordCount: 0,
    EncryptionType: 'NONE',
    Records: Records.map((_, index) => ({
      ShardId: 'shardId-000000000000',
      SequenceNumber: `4959033827149025660855969253836157109592157598913658${index}`,
    })),
  }),
}
