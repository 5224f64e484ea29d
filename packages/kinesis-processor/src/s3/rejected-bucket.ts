import type { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Clock } from '@org/kinesis-core'
import { InvalidRejectedRecordError } from '../rejected/parse-rejected-record.js'
import { withTimeout } from '../requests/request-timeout.js'
import { MAX_OBJECT_BYTES } from './s3-limits.js'

export interface StoredObject {
  bytes: Buffer
  etag: string | undefined
  contentType: string | undefined
}

/** The requests of a reader of rejected records. */
export class RejectedBucket {
  constructor(
    private readonly client: S3Client,
    readonly name: string,
    private readonly limits: { clock: Clock; timeoutMs: number },
  ) {}

  /** In the order of their bytes, as S3 lists them. */
  async *keys(prefix: string): AsyncGenerator<string> {
    let token: string | undefined
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.name,
        Prefix: prefix,
        ContinuationToken: token,
      })
      const { Contents = [], NextContinuationToken } = await this.#within((abortSignal) =>
        this.client.send(command, { abortSignal }),
      )
      for (const { Key } of Contents) if (Key !== undefined) yield Key
      token = NextContinuationToken
    } while (token !== undefined)
  }

  /** undefined where it is gone. @throws InvalidRejectedRecordError where it is too large to be read */
  async get(key: string): Promise<StoredObject | undefined> {
    const command = new GetObjectCommand({ Bucket: this.name, Key: key })
    try {
      return await this.#within(async (abortSignal) => {
        const { Body, ETag, ContentType } = await this.client.send(command, { abortSignal })
        return { bytes: await readAll(Body as Readable, abortSignal), etag: ETag, contentType: ContentType }
      })
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return undefined
      throw error
    }
  }

  /** Fails where someone else wrote or deleted the object since it was read. */
  async replace(key: string, { etag, contentType }: StoredObject, bytes: Buffer): Promise<void> {
    const command = new PutObjectCommand({
      Bucket: this.name,
      Key: key,
      Body: bytes,
      ContentType: contentType,
      IfMatch: etag,
    })
    await this.#within((abortSignal) => this.client.send(command, { abortSignal }))
  }

  /** As `replace`. */
  async delete(key: string, { etag }: StoredObject): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.name, Key: key, IfMatch: etag })
    await this.#within((abortSignal) => this.client.send(command, { abortSignal }))
  }

  #within<R>(request: (abortSignal: AbortSignal) => Promise<R>): Promise<R> {
    return withTimeout({ ...this.limits, what: 'S3' }, request)
  }
}

/** The SDK's own way has no bound, and a signal ends its request, but not the body that follows. */
async function readAll(body: Readable, abortSignal: AbortSignal): Promise<Buffer> {
  const stop = () => body.destroy(new Error('The object did not come in time.'))
  abortSignal.addEventListener('abort', stop, { once: true })
  try {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > MAX_OBJECT_BYTES) {
        throw new InvalidRejectedRecordError(`The object has more than ${MAX_OBJECT_BYTES} bytes.`)
      }
    }
    return Buffer.concat(chunks)
  } finally {
    abortSignal.removeEventListener('abort', stop)
  }
}
