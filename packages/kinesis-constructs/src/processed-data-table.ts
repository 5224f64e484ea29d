import { RemovalPolicy } from 'aws-cdk-lib'
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb'
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Construct } from 'constructs'
import { defined } from './defined.js'
import { grantTable, READ_ACTIONS, SINK_ACTIONS } from './table-grants.js'

export interface ProcessedDataTableProps {
  /** @default - made by CloudFormation */
  readonly tableName?: string
  /** @default - the account's key for DynamoDB (aws/dynamodb) */
  readonly encryptionKey?: IKey
  /**
   * RETAIN also protects the table against deletion.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy
}

/**
 * The events of each user in the order of time, and of each type through the index. The range key `timestamp` holds the instant
 * and the event's id, so that two events of one user at one instant are two items.
 */
export class ProcessedDataTable extends Construct {
  static readonly EVENT_TYPE_INDEX = 'event-type-index'

  readonly table: dynamodb.Table

  constructor(scope: Construct, id: string, props: ProcessedDataTableProps = {}) {
    super(scope, id)
    const { tableName, encryptionKey, removalPolicy = RemovalPolicy.RETAIN } = props
    // `Table` and not `TableV2`, which refuses a customer key in a stack that knows no region yet.
    this.table = new dynamodb.Table(this, 'Table', {
      partitionKey: text('user_id'),
      sortKey: text('timestamp'),
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'ttl',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      stream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
      ...tableSafety(encryptionKey, removalPolicy),
      ...defined({ tableName }),
    })
    this.table.addGlobalSecondaryIndex({
      indexName: ProcessedDataTable.EVENT_TYPE_INDEX,
      partitionKey: text('event_type'),
      sortKey: text('timestamp'),
      projectionType: dynamodb.ProjectionType.ALL,
    })
  }

  /** To put items, and no more. */
  grantWrite(grantee: IGrantable): Grant {
    return grantTable(this.table, grantee, SINK_ACTIONS)
  }

  /** To get items, and to query the table and its index. */
  grantRead(grantee: IGrantable): Grant {
    return grantTable(this.table, grantee, READ_ACTIONS, [ProcessedDataTable.EVENT_TYPE_INDEX])
  }
}

export function text(name: string): dynamodb.Attribute {
  return { name, type: dynamodb.AttributeType.STRING }
}

export function tableSafety(encryptionKey: IKey | undefined, removalPolicy: RemovalPolicy) {
  return {
    encryption:
      encryptionKey === undefined
        ? dynamodb.TableEncryption.AWS_MANAGED
        : dynamodb.TableEncryption.CUSTOMER_MANAGED,
    deletionProtection: removalPolicy === RemovalPolicy.RETAIN,
    removalPolicy,
    ...defined({ encryptionKey }),
  }
}
