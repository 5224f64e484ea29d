import { ServiceError } from '../service.js'
import { send } from './aws-json.js'
import { decodeCbor } from './cbor-decoder.js'
import { encodeCbor, type TimestampUnit } from './cbor-encoder.js'
import type { WireFormat } from './wire-format.js'

/** What the AWS SDK for Java 2 speaks with Kinesis: AWS JSON 1.1 in CBOR. */
export const AMZ_CBOR = cborFormat('application/x-amz-cbor-1.1', 'milliseconds', {})

/** What boto3 and the AWS CLI speak with CloudWatch: Smithy RPC v2, which names the operation in the path. */
export const RPC_CBOR = cborFormat('application/cbor', 'seconds', { 'smithy-protocol': 'rpc-v2-cbor' })

function cborFormat(contentType: string, unit: TimestampUnit, headers: Record<string, string>): WireFormat {
  const encode = (value: unknown) => encodeCbor(value, unit)
  return {
    blobs: 'bytes',
    read(body) {
      const input = body.length === 0 ? {} : decodeCbor(body, unit)
      if (typeof input === 'object' && input !== null && !isNoMap(input)) {
        return input as Record<string, unknown>
      }
      throw new ServiceError('SerializationException', 'The body is no CBOR map.')
    },
    answer(response, _operation, result) {
      const body = encode(result ?? {})
      send(response, 200, body, { 'content-type': contentType, ...headers })
      return body
    },
    answerError(response, error) {
      const body = encode({ __type: error.code, message: error.message })
      const own = { 'content-type': contentType, 'x-amzn-errortype': error.code }
      send(response, error.statusCode, body, { ...own, ...headers, ...error.headers })
      return body
    },
    event: { contentType, encode },
  }
}

function isNoMap(value: object): boolean {
  return Array.isArray(value) || value instanceof Uint8Array || value instanceof Date
}
