import { Duration, type RemovalPolicy } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { defined } from './defined.js'
import { serviceKeyStatement } from './service-key-grant.js'

export interface QueueWithRedriveProps {
  readonly queueName?: string
  readonly encryptionKey?: IKey
  readonly removalPolicy: RemovalPolicy
}

/** How often a message is read in vain before it moves over: often enough for a consumer that is restarted. */
const MAX_RECEIVES = 5
/** The most that SQS offers. */
const RETENTION = Duration.days(14)

/** A queue whose messages move to a second queue when whoever reads them fails again and again; both encrypted, TLS only. */
export class QueueWithRedrive extends Construct {
  readonly queue: Queue
  readonly deadLetterQueue: Queue

  constructor(scope: Construct, id: string, props: QueueWithRedriveProps) {
    super(scope, id)
    const { queueName, encryptionKey } = props
    const shared = {
      retentionPeriod: RETENTION,
      enforceSSL: true,
      encryption: encryptionKey === undefined ? QueueEncryption.SQS_MANAGED : QueueEncryption.KMS,
      removalPolicy: props.removalPolicy,
      ...defined({ encryptionMasterKey: encryptionKey }),
    }
    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', {
      ...shared,
      ...(queueName === undefined ? {} : { queueName: `${queueName}-dead-letters` }),
    })
    this.queue = new Queue(this, 'Queue', {
      ...shared,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVES },
      ...defined({ queueName }),
    })
  }
}

/** To send, and nothing else: CDK's `grantSendMessages` adds GetQueueUrl and GetQueueAttributes. */
export function grantQueueSend(queue: IQueue, grantee: iam.IGrantable): void {
  iam.Grant.addToPrincipal({ grantee, actions: ['sqs:SendMessage'], resourceArns: [queue.queueArn] })
  if (queue.encryptionMasterKey === undefined) return
  grantee.grantPrincipal.addToPrincipalPolicy(
    // SQS checks Decrypt as well, to see that what it has encrypted can be read again.
    serviceKeyStatement(queue.encryptionMasterKey, 'sqs', ['kms:Decrypt', 'kms:GenerateDataKey']),
  )
}
