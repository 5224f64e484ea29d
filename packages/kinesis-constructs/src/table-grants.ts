import type { ITable, Table } from 'aws-cdk-lib/aws-dynamodb'
import * as iam from 'aws-cdk-lib/aws-iam'
import { serviceKeyStatement } from './service-key-grant.js'

/** What DynamoDB asks of whoever uses a table with a customer key (DynamoDB developer guide, "Encryption at rest: usage notes"). */
const KEY_USE = ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*']

/** These actions and no others: CDK's `grantWriteData` adds UpdateItem, DeleteItem and DescribeTable. */
export function grantTable(
  table: ITable | Table,
  grantee: iam.IGrantable,
  actions: string[],
  indexes: string[] = [],
): iam.Grant {
  if (table.encryptionKey !== undefined) {
    grantee.grantPrincipal.addToPrincipalPolicy(serviceKeyStatement(table.encryptionKey, 'dynamodb', KEY_USE))
  }
  return iam.Grant.addToPrincipal({
    grantee,
    actions,
    resourceArns: [table.tableArn, ...indexes.map((index) => `${table.tableArn}/index/${index}`)],
  })
}

/** What the sink for DynamoDB calls: batches where keys are unique, conditional puts elsewhere. */
export const SINK_ACTIONS = ['dynamodb:BatchWriteItem', 'dynamodb:PutItem']
export const READ_ACTIONS = ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query']
