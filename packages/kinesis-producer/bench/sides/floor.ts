import { hash } from 'node:crypto'
import { Agent, request } from 'node:https'
import { encodeAggregate, findHashKeyRange, partitionKeyHash, uniformHashKeyRanges } from '@org/kinesis-core'
import { distinctInputs, type Event, type Input } from './events.ts'
import { inParallel, type Side, STREAM, type Target } from './side.ts'
import { signedHeaders } from './signature.ts'

/*
 * What no producer can do without: the MD5 that ends a container, base64, SHA-256 and a signature, HTTP and TLS, for containers that are built
 * already. Twenty of 50 kB in a request, eight requests at a time.
 */
const CONTAINER_BYTES = 51_200
const CONTAINERS_IN_A_REQUEST = 20
const REQUESTS_IN_FLIGHT = 8
const SHARDS = 16
const MAGIC_BYTES = 4
const MD5_BYTES = 16

interface Container {
  /** With room for its MD5. */
  bytes: Buffer
  explicitHashKey: string
  events: Event[]
}

/** For records given as bytes: nothing of the records themselves is left to do. */
export function bytesFloorSide(target: Target): Side {
  return floorSide(target, () => {})
}

/** For records given as objects: every one is written as JSON, too. */
export function objectsFloorSide(target: Target): Side {
  return floorSide(target, ({ events }) => {
    for (const event of events) {
      if (JSON.stringify(event).length === 0) throw new Error('Unreachable: an event is never empty.')
    }
  })
}

function floorSide({ url }: Target, prepare: (container: Container) => void): Side {
  const containers = buildContainers()
  const { hostname, port, host } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: REQUESTS_IN_FLIGHT })
  const bodies = Array.from({ length: REQUESTS_IN_FLIGHT }, () => Buffer.allocUnsafeSlow(2 * 1024 * 1024))
  const post = (body: Buffer) =>
    new Promise<void>((resolve, reject) => {
      const sent = request(
        { hostname, port, method: 'POST', path: '/', agent, headers: signedHeaders(host, body) },
        (response) => {
          if (response.statusCode !== 200) reject(new Error(`Status ${response.statusCode}.`))
          response.resume().once('end', resolve).once('error', reject)
        },
      )
      sent.once('error', reject).end(body)
    })
  let nextContainer = 0
  return {
    async put(records) {
      let put = 0
      const free = [...bodies]
      await inParallel(REQUESTS_IN_FLIGHT, async () => {
        if (put >= records) return false
        const body = free.pop()!
        let at = body.write(`{"StreamName":"${STREAM}","Records":[`, 'latin1')
        for (let count = 0; count < CONTAINERS_IN_A_REQUEST; count++) {
          const container = containers[nextContainer++ % containers.length]!
          prepare(container)
          at = writeEntry(body, at, container, count > 0)
          put += container.events.length
        }
        at += body.write(']}', at, 'latin1')
        await post(body.subarray(0, at))
        free.push(body)
        return true
      })
      return put
    },
  }
}

function writeEntry(
  body: Buffer,
  offset: number,
  { bytes, explicitHashKey }: Container,
  isNext: boolean,
): number {
  const md5At = bytes.length - MD5_BYTES
  bytes.write(hash('md5', bytes.subarray(MAGIC_BYTES, md5At), 'binary'), md5At, 'latin1')
  let at = offset + body.write(isNext ? ',{"Data":"' : '{"Data":"', offset, 'latin1')
  at += body.write(bytes.toString('base64'), at, 'latin1')
  at += body.write(`","PartitionKey":"a","ExplicitHashKey":"${explicitHashKey}"}`, at, 'latin1')
  return at
}

/** Every distinct input in containers as full as they may be, each with the keys of one shard. */
function buildContainers(): Container[] {
  const ranges = uniformHashKeyRanges(SHARDS)
  const byShard = Map.groupBy(
    distinctInputs(),
    ({ partitionKey }) => findHashKeyRange(ranges, partitionKeyHash(partitionKey))!,
  )
  return [...byShard].flatMap(([{ startingHashKey }, inputs]) => {
    const full: Container[] = []
    for (let from = 0; from < inputs.length; ) {
      const members = inputs.slice(from, from + membersThatFit(inputs, from))
      from += members.length
      // The last of a shard is not full: it would count as one, and make the floor look higher.
      if (from >= inputs.length) break
      full.push({
        bytes: Buffer.from(encode(members)),
        explicitHashKey: `${startingHashKey}`,
        events: members.map(({ event }) => event),
      })
    }
    return full
  })
}

function membersThatFit(inputs: readonly Input[], from: number): number {
  let count = 1
  while (
    from + count < inputs.length &&
    encode(inputs.slice(from, from + count + 1)).length <= CONTAINER_BYTES
  )
    count++
  return count
}

function encode(inputs: readonly Input[]): Uint8Array {
  return encodeAggregate(inputs.map(({ partitionKey, bytes }) => ({ partitionKey, data: bytes })))
}
