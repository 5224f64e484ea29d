import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { defined } from './defined.js'

export interface AlarmTopicProps {
  /** @default - made by CloudFormation */
  readonly topicName?: string
  /** @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy
}

/**
 * An encrypted topic that alarms of this account and region can publish to. With a customer key and CDK's defaults they cannot:
 * CloudWatch uses the key as a service, the key's policy knows only the account, and the notification is dropped with no more
 * than a line in the alarm's history. With aws/sns it is the same, and that key's policy cannot be changed.
 */
export class AlarmTopic extends Construct {
  readonly topic: Topic
  readonly encryptionKey: Key

  constructor(scope: Construct, id: string, props: AlarmTopicProps = {}) {
    super(scope, id)
    const { topicName, removalPolicy = RemovalPolicy.RETAIN } = props
    this.encryptionKey = new Key(this, 'Key', {
      description: `Encrypts the alarms of ${topicName ?? this.node.path}`,
      enableKeyRotation: true,
      removalPolicy,
    })
    const alarms = {
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      // Alarms of this account and region, whatever they are called: who shares the topic has alarms of other names.
      conditions: {
        StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
        ArnLike: {
          'aws:SourceArn': Stack.of(this).formatArn({ service: 'cloudwatch', resource: 'alarm:*' }),
        },
      },
    }
    this.encryptionKey.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsEncryptWhatTheyPublish',
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        // In a key's policy this is the key itself.
        resources: ['*'],
        ...alarms,
      }),
    )
    this.topic = new Topic(this, 'Topic', {
      masterKey: this.encryptionKey,
      enforceSSL: true,
      ...defined({ topicName }),
    })
    this.topic.applyRemovalPolicy(removalPolicy)
    // A topic's own policy replaces the default one, which let the account's alarms in.
    this.topic.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsPublish',
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        ...alarms,
      }),
    )
  }
}
