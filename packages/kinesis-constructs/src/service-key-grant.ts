import { Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'

/**
 * The use of a key through one service only. CDK's own grants let their grantee use the key for anything; with `kms:ViaService`
 * a leaked role cannot decrypt what it got hold of elsewhere.
 */
export function serviceKeyStatement(
  key: IKey,
  service: 'dynamodb' | 'kinesis' | 's3' | 'sqs',
  actions: string[],
  encryptionContext: Record<string, string> = {},
): iam.PolicyStatement {
  const context = Object.entries(encryptionContext).map(([name, value]) => [
    `kms:EncryptionContext:${name}`,
    value,
  ])
  return new iam.PolicyStatement({
    actions,
    resources: [key.keyArn],
    conditions: {
      StringEquals: {
        'kms:ViaService': `${service}.${Stack.of(key).region}.amazonaws.com`,
        ...Object.fromEntries(context),
      },
    },
  })
}
