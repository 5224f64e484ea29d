import type { S3Client } from '@aws-sdk/client-s3'
import { InvalidOptionError } from '@org/kinesis-core'
import type { ObjectStore } from './object-store.js'
import { checkOptionalPeer } from './optional-peer.js'

export interface S3Destination {
  bucket: string
  /** URL of the endpoint, of a local emulator as a rule. @default what the SDK finds: AWS_ENDPOINT_URL_S3, or AWS itself */
  endpoint?: string
  /** @default that of `startLocal` */
  region?: string
  /** @default dummy keys where there is an endpoint, and what the SDK finds where there is none */
  credentials?: { accessKeyId: string; secretAccessKey: string }
}

/** Puts objects into a bucket that exists. The SDK is loaded with the first object. */
export function s3Store(destination: S3Destination): ObjectStore {
  const { bucket, endpoint, region = 'us-east-1' } = destination
  if (typeof bucket !== 'string' || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new InvalidOptionError('destination.bucket', bucket, 'Give the name of a bucket.')
  }
  if (endpoint !== undefined && !URL.canParse(endpoint)) {
    throw new InvalidOptionError(
      'destination.endpoint',
      endpoint,
      'Give a URL such as http://127.0.0.1:9000.',
    )
  }
  checkOptionalPeer('@aws-sdk/client-s3', 'destination', bucket)
  const dummy = { accessKeyId: 'local', secretAccessKey: 'local' }
  const credentials = destination.credentials ?? (endpoint === undefined ? undefined : dummy)
  let client: S3Client | undefined
  let isClosed = false
  return {
    async put(key, bytes, { contentType }) {
      const { PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
      // A client that is made now would be nobody's to destroy.
      if (isClosed) throw new Error(`The destination ${bucket} is closed.`)
      client ??= new S3Client({
        region,
        // Emulators have one host for all buckets.
        ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
        ...(credentials === undefined ? {} : { credentials }),
      })
      const object = { Bucket: bucket, Key: key, Body: bytes, ContentType: contentType }
      await client.send(new PutObjectCommand(object))
    },
    close() {
      isClosed = true
      client?.destroy()
    },
  }
}
