import type { MetricDefinition } from '@org/kinesis-core'
import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib'
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { IStream } from 'aws-cdk-lib/aws-kinesis'
import * as firehose from 'aws-cdk-lib/aws-kinesisfirehose'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { type CfnLogStream, type ILogGroup, LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { type CatalogMetricOptions, catalogMetric } from './catalog-metric.js'
import { defined } from './defined.js'
import { type HandlerCode, HandlerFunction, type HandlerFunctionOptions } from './handler-function.js'
import { serviceKeyStatement } from './service-key-grant.js'
import { streamStatements } from './stream-grants.js'

export interface DataLakeDeliveryProps {
  readonly stream: IStream
  /** Where to: the bucket of a `DataLake`, or another. */
  readonly bucket: IBucket | Bucket
  /** @default - made by CloudFormation */
  readonly deliveryStreamName?: string
  /**
   * A handler that shapes the records, as `firehoseTransform` of `@org/kinesis-processor` makes one.
   * @default - none: records arrive as they are, one after the other
   */
  readonly transform?: HandlerCode
  readonly transformOptions?: HandlerFunctionOptions
  /**
   * The key prefix of delivered objects.
   * @default - year=/month=/day=/hour= in UTC
   */
  readonly prefix?: string
  /**
   * The key prefix of records that could not be transformed or delivered; must hold !{firehose:error-output-type}.
   * @default 'errors/!{firehose:error-output-type}/'
   */
  readonly errorPrefix?: string
  /**
   * An object is written when so much has gathered, 1 to 128 MiB ...
   * @default Size.mebibytes(5)
   */
  readonly bufferingSize?: Size
  /**
   * ... or when this time is over, 0 to 900 s.
   * @default Duration.seconds(300)
   */
  readonly bufferingInterval?: Duration
  /** @default Compression.GZIP */
  readonly compression?: firehose.Compression
  /** @default RetentionDays.ONE_MONTH */
  readonly logRetention?: RetentionDays
  /**
   * Of the logs; the objects belong to the bucket.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy
}

/** Firehose from the stream to the bucket, through a transform. */
export class DataLakeDelivery extends Construct {
  readonly deliveryStream: firehose.DeliveryStream
  readonly transformFunction?: LambdaFunction
  readonly role: iam.IRole
  readonly logGroup: ILogGroup

  constructor(scope: Construct, id: string, props: DataLakeDeliveryProps) {
    super(scope, id)
    const { stream, bucket, deliveryStreamName, removalPolicy = RemovalPolicy.RETAIN } = props
    if (props.transform !== undefined) {
      const transformOptions = props.transformOptions ?? {}
      this.transformFunction = new HandlerFunction(this, 'Transform', {
        memorySize: 128,
        serviceName: transformOptions.functionName ?? 'data-transform',
        ...transformOptions,
        code: props.transform,
        removalPolicy,
      }).function
    }
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention ?? RetentionDays.ONE_MONTH,
      removalPolicy,
      ...(deliveryStreamName === undefined
        ? {}
        : { logGroupName: `/aws/kinesisfirehose/${deliveryStreamName}` }),
    })
    this.logGroup = logGroup
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('firehose.amazonaws.com'),
      description: `Reads the stream and delivers for ${deliveryStreamName ?? this.node.path}`,
      inlinePolicies: {
        Delivery: new iam.PolicyDocument({
          statements: deliveryStatements(stream, bucket, logGroup, this.transformFunction),
        }),
      },
    })
    this.role = role
    // CDK's own grants are wider (to delete objects, to use the keys for anything): what it would add is left out.
    const fixedRole = role.withoutPolicyUpdates()
    this.deliveryStream = withoutAddressTable(
      this,
      () =>
        new firehose.DeliveryStream(this, 'DeliveryStream', {
          source: new firehose.KinesisStreamSource(stream),
          role: fixedRole,
          destination: new firehose.S3Bucket(bucket as IBucket, {
            role: fixedRole,
            dataOutputPrefix: props.prefix ?? HOURLY_PREFIX,
            errorOutputPrefix: props.errorPrefix ?? 'errors/!{firehose:error-output-type}/',
            bufferingSize: props.bufferingSize ?? Size.mebibytes(5),
            bufferingInterval: props.bufferingInterval ?? Duration.seconds(300),
            compression: props.compression ?? firehose.Compression.GZIP,
            loggingConfig: new firehose.EnableLogging(logGroup),
            processors: this.transformFunction === undefined ? [] : [transformWith(this.transformFunction)],
          }),
          ...defined({ deliveryStreamName }),
        }),
    )
    nameLogStream(logGroup, deliveryStreamName)
  }

  /** A delivery metric of core's catalogue. */
  metric(definition: MetricDefinition, options?: CatalogMetricOptions): Metric {
    return catalogMetric(definition, { DeliveryStreamName: this.deliveryStream.deliveryStreamName }, options)
  }
}

/** CDK makes the log stream and lets CloudFormation name it; a person looks for the delivery stream's name. */
function nameLogStream(logGroup: LogGroup, name: string | undefined): void {
  if (name === undefined) return
  const logStream = logGroup.node.findChild('S3Destination').node.defaultChild as CfnLogStream
  logStream.logStreamName = name
}

/**
 * CDK's delivery stream leaves a table of Firehose's addresses in the stack, for destinations in a VPC, which S3 is not; validation
 * warns of it. One that was there before belongs to another delivery stream.
 */
function withoutAddressTable<T>(scope: Construct, create: () => T): T {
  const { node } = Stack.of(scope)
  const before = node.tryFindChild(ADDRESS_TABLE)
  const created = create()
  const after = node.tryFindChild(ADDRESS_TABLE)
  // By its own id: the tree writes the slash in the name in another way.
  if (after !== undefined && after !== before) node.tryRemoveChild(after.node.id)
  return created
}

const ADDRESS_TABLE = '@aws-cdk/aws-kinesisfirehose.CidrBlocks'
const HOURLY_PREFIX = 'year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/'

function transformWith(handler: LambdaFunction): firehose.LambdaFunctionProcessor {
  return new firehose.LambdaFunctionProcessor(handler, {
    // A transform's answer may have 6 MiB: small requests leave room for records that grow, and for base64.
    bufferSize: Size.mebibytes(1),
    bufferInterval: Duration.seconds(60),
    retries: 3,
  })
}

/** Data Firehose developer guide, "Grant Firehose access to an Amazon S3 destination", for exactly these resources. */
function deliveryStatements(
  stream: IStream,
  bucket: IBucket | Bucket,
  logGroup: ILogGroup,
  transform: LambdaFunction | undefined,
): iam.PolicyStatement[] {
  const statements = [
    ...streamStatements(
      stream,
      ['kinesis:DescribeStream', 'kinesis:GetRecords', 'kinesis:GetShardIterator', 'kinesis:ListShards'],
      'kms:Decrypt',
    ),
    new iam.PolicyStatement({
      actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
      resources: [bucket.bucketArn],
    }),
    new iam.PolicyStatement({
      actions: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
      // All objects: Firehose makes their names from the prefixes and the time.
      resources: [bucket.arnForObjects('*')],
    }),
    // The ARN ends in `:*`, which are the log streams of this one group.
    new iam.PolicyStatement({ actions: ['logs:PutLogEvents'], resources: [logGroup.logGroupArn] }),
  ]
  if (bucket.encryptionKey !== undefined) {
    statements.push(serviceKeyStatement(bucket.encryptionKey, 's3', ['kms:Decrypt', 'kms:GenerateDataKey']))
  }
  if (transform !== undefined) {
    statements.push(
      new iam.PolicyStatement({
        actions: ['lambda:GetFunctionConfiguration', 'lambda:InvokeFunction'],
        // Firehose asks for the function by its name, and some paths of it for `$LATEST`.
        resources: [transform.functionArn, `${transform.functionArn}:$LATEST`],
      }),
    )
  }
  return statements
}
