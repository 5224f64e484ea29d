import { type Clock, type Random, systemClock, systemRandom } from '@org/kinesis-core'
import { type AwsClients, type AwsConnection, createAwsClients } from './aws-clients.js'
import { createCaller } from './caller.js'
import { publishToCloudWatch, readFromCloudWatch } from './cloudwatch-calls.js'
import { describeStream, listShards, openShard, readShard } from './kinesis-calls.js'
import type { MonitorSource } from './monitor-source.js'

export interface AwsMonitorSourceOptions extends AwsConnection {
  /**
   * Clients to use in place of our own. Theirs are the region, the endpoint, the credentials and the retries; give the Kinesis
   * client `maxAttempts: 1` where the pace of reads matters. They are not closed here.
   */
  clients?: Partial<AwsClients> | undefined
  /** Times the backoff. @default the system's */
  clock?: Clock | undefined
  /** The jitter of the backoff. @default Math.random */
  random?: Random | undefined
}

/** The public APIs of Kinesis and CloudWatch, on AWS or at any endpoint that speaks them. */
export function awsMonitorSource(options: AwsMonitorSourceOptions = {}): MonitorSource {
  const { region, endpoint, clock = systemClock, random = systemRandom } = options
  const own = createAwsClients(options)
  const kinesis = options.clients?.kinesis ?? own.kinesis
  const cloudWatch = options.clients?.cloudWatch ?? own.cloudWatch
  const caller = createCaller({ region, endpoint, clock, random })

  return {
    describeStream: (...call) => describeStream(kinesis, caller, ...call),
    listShards: (...call) => listShards(kinesis, caller, ...call),
    readMetrics: (...call) => readFromCloudWatch(cloudWatch, caller, ...call),
    publishMetrics: (...call) => publishToCloudWatch(cloudWatch, caller, ...call),
    openShard: (...call) => openShard(kinesis, caller, ...call),
    readShard: (...call) => readShard(kinesis, caller, ...call),
    close() {
      own.kinesis.destroy()
      own.cloudWatch.destroy()
    },
  }
}
