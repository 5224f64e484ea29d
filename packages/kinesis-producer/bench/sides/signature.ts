import { createHmac, hash } from 'node:crypto'
import { CREDENTIALS, REGION } from './side.ts'

const SERVICE = 'kinesis'
const CONTENT_TYPE = 'application/x-amz-json-1.1'
const TARGET = 'Kinesis_20131202.PutRecords'
const SIGNED_HEADERS = 'content-type;host;x-amz-date;x-amz-target'

let signingKey: { date: string; key: Buffer } | undefined

/** The headers of a signed PutRecords request (AWS Signature Version 4), with no more work than it takes. */
export function signedHeaders(host: string, body: Buffer): Record<string, string | number> {
  const amzDate = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
  const date = amzDate.slice(0, 8)
  if (signingKey?.date !== date) signingKey = { date, key: keyOf(date) }
  const canonical = `POST\n/\n\ncontent-type:${CONTENT_TYPE}\nhost:${host}\nx-amz-date:${amzDate}\nx-amz-target:${TARGET}\n\n${SIGNED_HEADERS}\n${hash('sha256', body)}`
  const scope = `${date}/${REGION}/${SERVICE}/aws4_request`
  const signature = hmac(
    signingKey.key,
    `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${hash('sha256', canonical)}`,
  ).toString('hex')
  return {
    'content-type': CONTENT_TYPE,
    host,
    'x-amz-date': amzDate,
    'x-amz-target': TARGET,
    'content-length': body.length,
    authorization: `AWS4-HMAC-SHA256 Credential=${CREDENTIALS.accessKeyId}/${scope}, SignedHeaders=${SIGNED_HEADERS}, Signature=${signature}`,
  }
}

function keyOf(date: string): Buffer {
  return [date, REGION, SERVICE, 'aws4_request'].reduce<Buffer>(
    (key, part) => hmac(key, part),
    Buffer.from(`AWS4${CREDENTIALS.secretAccessKey}`),
  )
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
