import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import { defined } from './defined.js'

export interface SafeBucketProps {
  readonly bucketName?: string
  readonly encryptionKey?: IKey
  readonly lifecycleRules?: LifecycleRule[]
  readonly removalPolicy: RemovalPolicy
}

/** Versioned, encrypted, TLS only, never public, and free of uploads that nobody finished. */
export function createSafeBucket(scope: Construct, id: string, props: SafeBucketProps): Bucket {
  const { bucketName, encryptionKey, removalPolicy } = props
  return new Bucket(scope, id, {
    versioned: true,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    encryption: encryptionKey === undefined ? BucketEncryption.S3_MANAGED : BucketEncryption.KMS,
    lifecycleRules: [
      { id: 'AbandonedUploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ...(props.lifecycleRules ?? []),
    ],
    removalPolicy,
    // A bucket that holds anything cannot be destroyed: CDK's function empties it first.
    autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY,
    // One request to KMS for many objects. Nothing to set where the key is S3's own.
    ...defined({
      bucketName,
      encryptionKey,
      bucketKeyEnabled: encryptionKey === undefined ? undefined : true,
    }),
  })
}
