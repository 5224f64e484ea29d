import { InvalidOptionError, kinesisQuotas, type MetricDefinition } from '@org/kinesis-core'
import { Duration, RemovalPolicy, Tags, Token } from 'aws-cdk-lib'
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam'
import { type ShardLevelMetrics, Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import { Construct } from 'constructs'
import { type CatalogMetricOptions, catalogMetric } from './catalog-metric.js'
import { defined } from './defined.js'
import { grantStreamRead, grantStreamWrite } from './stream-grants.js'

export interface EncryptedStreamProps {
  /** @default - made by CloudFormation */
  readonly streamName?: string
  /**
   * Shards, 1 or more. Each takes 1 MiB or 1,000 records a second.
   * @default 2
   */
  readonly shardCount?: number
  /**
   * How long records can be read: 24 to 8,760 hours, whole hours. Longer than 24 hours costs more.
   * @default Duration.hours(24)
   */
  readonly retention?: Duration
  /**
   * Encrypts the records. A key of another account or stack must itself allow its use.
   * @default - a key of its own, rotated every year
   */
  readonly encryptionKey?: IKey
  /**
   * Metrics of every shard, which `@org/kinesis-monitor` shows hot shards from; CloudWatch charges for them.
   * @default - none
   */
  readonly shardLevelMetrics?: ShardLevelMetrics[]
  /** @default - none */
  readonly tags?: Readonly<Record<string, string>>
  /**
   * What becomes of the stream and its key when they leave the stack.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy
}

/** A provisioned stream, encrypted with a customer key. */
export class EncryptedStream extends Construct {
  readonly stream: Stream
  readonly encryptionKey: IKey
  readonly retention: Duration

  constructor(scope: Construct, id: string, props: EncryptedStreamProps = {}) {
    super(scope, id)
    const { streamName, shardLevelMetrics, removalPolicy = RemovalPolicy.RETAIN } = props
    this.retention = props.retention ?? Duration.hours(kinesisQuotas.minRetentionHours)
    // The service reads the key with the rights of whoever reads or writes the stream, so its policy names no service: a
    // statement for kinesis.amazonaws.com would grant nothing that is used.
    this.encryptionKey =
      props.encryptionKey ??
      new Key(this, 'Key', {
        description: `Encrypts the records of ${streamName ?? this.node.path}`,
        enableKeyRotation: true,
        removalPolicy,
      })
    this.stream = new Stream(this, 'Stream', {
      shardCount: shards(props.shardCount),
      retentionPeriod: wholeHours(this.retention),
      streamMode: StreamMode.PROVISIONED,
      encryption: StreamEncryption.KMS,
      encryptionKey: this.encryptionKey,
      removalPolicy,
      ...defined({ streamName, shardLevelMetrics }),
    })
    for (const [key, value] of Object.entries(props.tags ?? {})) Tags.of(this.stream).add(key, value)
  }

  /** What a poller needs: to read the records, and to decrypt them through Kinesis only. */
  grantRead(grantee: IGrantable): Grant {
    return grantStreamRead(this.stream, grantee)
  }

  /** What a producer needs: to put records, and to see the shards. */
  grantWrite(grantee: IGrantable): Grant {
    return grantStreamWrite(this.stream, grantee)
  }

  /** A stream metric of core's catalogue. */
  metric(definition: MetricDefinition, options?: CatalogMetricOptions): Metric {
    return catalogMetric(definition, { StreamName: this.stream.streamName }, options)
  }
}

function shards(count = 2): number {
  if (Token.isUnresolved(count) || (Number.isInteger(count) && count >= 1)) return count
  throw new InvalidOptionError('shardCount', count, 'Use a whole number of 1 or more.')
}

function wholeHours(retention: Duration): Duration {
  if (retention.isUnresolved()) return retention
  const hours = retention.toHours({ integral: false })
  const { minRetentionHours: least, maxRetentionHours: most } = kinesisQuotas
  if (Number.isInteger(hours) && hours >= least && hours <= most) return retention
  throw new InvalidOptionError('retention', `${hours} hours`, `Use ${least} to ${most} whole hours.`)
}
