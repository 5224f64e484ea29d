import { Readable } from 'node:stream'
import { answer } from '../wire/aws-json.js'
import type { WireRequest, WireResponse } from '../wire/listener.js'
import type { RawRoute } from '../wire/router.js'

/**
 * DynamoDB in process: dynalite behind our listener, in memory. It has no transactions, streams, PartiQL or expiry;
 * time to live can be switched on, as stacks do, and nothing expires.
 */
export async function localDynamoDb(): Promise<RawRoute> {
  // Loaded here: whoever has no tables does not pay for it.
  const { default: dynalite } = await import('dynalite')
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 })
  const timeToLive = new Map<string, string>()

  return {
    name: 'dynamodb',
    targetPrefix: 'DynamoDB_20120810',
    handle(request, response, body, operation) {
      if (operation === 'UpdateTimeToLive' || operation === 'DescribeTimeToLive') {
        return Promise.resolve(answerTimeToLive(response, body, timeToLive))
      }
      return new Promise((resolve) => {
        captureBody(response, resolve)
        server.emit('request', replay(request, body), response)
      })
    },
  }
}

/** dynalite reads the body itself; ours was read already, to be observed. */
function replay(request: WireRequest, body: Buffer): Readable {
  const { method, url, headers } = request
  return Object.assign(Readable.from([body]), { method, url, headers })
}

function captureBody(response: WireResponse, captured: (body: Buffer | undefined) => void): void {
  const end = response.end.bind(response) as (...args: unknown[]) => WireResponse
  response.end = ((...args: unknown[]) => {
    const [body] = args
    captured(
      typeof body === 'string'
        ? Buffer.from(body)
        : body instanceof Uint8Array
          ? Buffer.from(body)
          : undefined,
    )
    return end(...args)
  }) as typeof response.end
  response.once('close', () => captured(undefined))
}

interface TimeToLiveRequest {
  TableName?: string
  TimeToLiveSpecification?: { AttributeName: string; Enabled: boolean }
}

function answerTimeToLive(response: WireResponse, body: Buffer, timeToLive: Map<string, string>): Buffer {
  const { TableName = '', TimeToLiveSpecification: specification } = JSON.parse(
    body.toString('utf8'),
  ) as TimeToLiveRequest
  if (specification !== undefined) {
    if (specification.Enabled) timeToLive.set(TableName, specification.AttributeName)
    else timeToLive.delete(TableName)
    return answer(response, '1.0', { TimeToLiveSpecification: specification })
  }
  const attribute = timeToLive.get(TableName)
  return answer(response, '1.0', {
    TimeToLiveDescription:
      attribute === undefined
        ? { TimeToLiveStatus: 'DISABLED' }
        : { TimeToLiveStatus: 'ENABLED', AttributeName: attribute },
  })
}
