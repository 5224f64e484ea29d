import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import { type Bucket, StorageClass } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import { defined } from './defined.js'
import { createSafeBucket } from './safe-bucket.js'
import { serviceKeyStatement } from './service-key-grant.js'

export interface DataLakeProps {
  /** Unique among all buckets of all accounts. @default - made by CloudFormation */
  readonly bucketName?: string
  /** @default - a key of its own, rotated every year */
  readonly encryptionKey?: IKey
  /**
   * DESTROY empties the bucket first, and all versions with it.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy
}

/** The bucket that keeps everything, cheaper with age: Standard-IA after 30 days, Glacier after 90, Deep Archive after 365. */
export class DataLake extends Construct {
  readonly bucket: Bucket
  readonly encryptionKey: IKey

  constructor(scope: Construct, id: string, props: DataLakeProps = {}) {
    super(scope, id)
    const { bucketName, removalPolicy = RemovalPolicy.RETAIN } = props
    this.encryptionKey =
      props.encryptionKey ??
      new Key(this, 'Key', {
        description: `Encrypts the objects of ${this.node.path}`,
        enableKeyRotation: true,
        removalPolicy,
      })
    this.bucket = createSafeBucket(this, 'Bucket', {
      encryptionKey: this.encryptionKey,
      removalPolicy,
      lifecycleRules: [
        {
          id: 'DataArchiving',
          transitions: [
            { storageClass: StorageClass.INFREQUENT_ACCESS, transitionAfter: Duration.days(30) },
            { storageClass: StorageClass.GLACIER, transitionAfter: Duration.days(90) },
            { storageClass: StorageClass.DEEP_ARCHIVE, transitionAfter: Duration.days(365) },
          ],
        },
      ],
      ...defined({ bucketName }),
    })
  }

  /** To list the lake and read its objects; not to look at older versions. */
  grantRead(grantee: iam.IGrantable): iam.Grant {
    const { bucket } = this
    iam.Grant.addToPrincipal({
      grantee,
      actions: ['s3:GetBucketLocation', 's3:ListBucket'],
      resourceArns: [bucket.bucketArn],
    })
    grantee.grantPrincipal.addToPrincipalPolicy(
      serviceKeyStatement(this.encryptionKey, 's3', ['kms:Decrypt']),
    )
    // All objects: a reader of the lake does not know their names beforehand.
    return iam.Grant.addToPrincipal({
      grantee,
      actions: ['s3:GetObject'],
      resourceArns: [bucket.arnForObjects('*')],
    })
  }
}
