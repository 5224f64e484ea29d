import type { RemovalPolicy } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IEventSourceDlq } from 'aws-cdk-lib/aws-lambda'
import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { grantQueueSend, QueueWithRedrive } from './dead-letter-queues.js'
import { defined } from './defined.js'
import { createSafeBucket } from './safe-bucket.js'
import { serviceKeyStatement } from './service-key-grant.js'

/**
 * Where records go that Lambda has given up. `s3` keeps the records themselves. `sqs` keeps only their shard and sequence
 * numbers: they must be read from the stream before its retention ends, or they are lost.
 */
export type FailureDestination =
  | { readonly to: 's3'; readonly bucket?: IBucket | Bucket }
  | { readonly to: 'sqs'; readonly queue?: IQueue }

export interface FailureStoreProps {
  readonly destination: FailureDestination
  readonly bucketName?: string
  readonly queueName?: string
  readonly encryptionKey?: IKey
  readonly removalPolicy: RemovalPolicy
}

/** The bucket or the queue behind a mapping, made where none is given, and the rights that Lambda needs on it. */
export class FailureStore extends Construct implements IEventSourceDlq {
  readonly bucket?: IBucket | Bucket
  readonly queue?: IQueue

  constructor(scope: Construct, id: string, props: FailureStoreProps) {
    super(scope, id)
    const { destination, bucketName, queueName, encryptionKey, removalPolicy } = props
    if (destination.to === 's3') {
      this.bucket =
        destination.bucket ??
        createSafeBucket(this, 'Bucket', { removalPolicy, ...defined({ bucketName, encryptionKey }) })
    } else {
      this.queue =
        destination.queue ??
        new QueueWithRedrive(this, 'Positions', { removalPolicy, ...defined({ queueName, encryptionKey }) })
          .queue
    }
  }

  bind(_mapping: unknown, handler: iam.IGrantable): { destination: string } {
    if (this.queue !== undefined) {
      grantQueueSend(this.queue, handler)
      return { destination: this.queue.queueArn }
    }
    const bucket = this.bucket!
    const { grantPrincipal } = handler
    iam.Grant.addToPrincipal({
      grantee: handler,
      actions: ['s3:PutObject'],
      // Lambda chooses the keys: aws/lambda/<mapping>/<shard>/<date>/<time>. CDK's destination grants the whole bucket, to read too.
      resourceArns: [bucket.arnForObjects('aws/lambda/*')],
    })
    // Lambda looks whether the bucket is there.
    iam.Grant.addToPrincipal({
      grantee: handler,
      actions: ['s3:ListBucket'],
      resourceArns: [bucket.bucketArn],
    })
    if (bucket.encryptionKey !== undefined) {
      grantPrincipal.addToPrincipalPolicy(
        // Decrypt: for an upload in parts, S3 reads back what it has encrypted.
        serviceKeyStatement(bucket.encryptionKey, 's3', ['kms:Decrypt', 'kms:GenerateDataKey']),
      )
    }
    return { destination: bucket.bucketArn }
  }
}
