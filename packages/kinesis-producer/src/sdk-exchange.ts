import { randomUUID } from 'node:crypto'
import { type KinesisClient, PutRecordsCommand, type PutRecordsOutput } from '@aws-sdk/client-kinesis'
import { readAnswerBody } from './answer-body.js'
import { singleAttempt, unwrapSingleAttempt } from './single-attempt.js'

type RequestHandler = KinesisClient['config']['requestHandler']
type HttpRequest = Parameters<RequestHandler['handle']>[0]
type Signer = KinesisClient['config']['signer']
type HttpResponse = Awaited<ReturnType<RequestHandler['handle']>>['response']

/** `StreamName` or `StreamARN`. */
export type StreamInput = { StreamName: string } | { StreamARN: string }

/** The body of one request, and who wants to know when nobody reads it any more; not told where that is uncertain. */
export interface OutgoingBody {
  bytes: Buffer
  hasLeft: () => void
}

/** Where middleware of the caller's answers in place of the service, there is an output and no body. */
export type Exchanged = { body: Buffer } | { output: PutRecordsOutput }

/** What the SDK keeps in the context of a command once it has decided where to send it and how to sign it. */
interface SmithyContext {
  authSchemes?: [Parameters<Signer>[0]]
  __smithy_context?: {
    selectedHttpAuthScheme?: {
      httpAuthOption: {
        schemeId: string
        signingProperties?: { signingRegion?: string; signingName?: string }
      }
    }
  }
}

/** A request as the SDK has built it, before signing. */
interface BuiltRequest {
  /** The ARN of a stream may lead to an endpoint of its account. */
  streamArn: string | undefined
  request: HttpRequest
  sign(request: HttpRequest): Promise<HttpRequest>
}

/** The SDK's deserializer finds nothing to do in it. */
const EMPTY_OUTPUT = Buffer.from('{}')

/**
 * Sends bodies of ours as PutRecords requests of the SDK's. A command without records goes through the SDK's whole middleware, and the
 * caller's if the client is the caller's: endpoint rules, user agent, credentials, signature, correction of the clock, errors. Only the
 * body is put in behind the serializer, and the answer is taken out before the deserializer.
 *
 * That middleware costs more than the request itself, and most of it comes to the same result every time. So a client that is ours, and
 * has no other middleware than we know, builds one request and keeps it: later ones take its address and headers, and are signed and
 * sent by the client's own signer and handler. After any failure the next request is built anew.
 */
export class SdkExchange {
  readonly #client: KinesisClient
  /** Lambda names the invocation in a header of each request, so there every one is built. */
  readonly #keepsBuilt: boolean
  #built: BuiltRequest | undefined

  constructor(client: KinesisClient, owned: boolean) {
    this.#client = client
    this.#keepsBuilt = owned && process.env.AWS_LAMBDA_FUNCTION_NAME === undefined
  }

  /** Resolves with an answer that is a success; rejects with what the SDK makes of every other. Never attempts twice. */
  async send(input: StreamInput, body: OutgoingBody, signal: AbortSignal): Promise<Exchanged> {
    const built = this.#built
    try {
      return await (built === undefined || built.streamArn !== arnOf(input)
        ? this.#sendThroughStack(input, signal, { body })
        : this.#sendAsBuilt(built, input, body, signal))
    } catch (error) {
      this.#built = undefined
      throw unwrapSingleAttempt(error)
    }
  }

  async #sendAsBuilt(
    { request, sign }: BuiltRequest,
    input: StreamInput,
    body: OutgoingBody,
    signal: AbortSignal,
  ): Promise<Exchanged> {
    const headers = {
      ...request.headers,
      'content-length': String(body.bytes.length),
      'amz-sdk-invocation-id': randomUUID(),
    }
    const signed = await sign({ ...request, headers, body: body.bytes } as HttpRequest)
    const { response } = await this.#client.config.requestHandler.handle(signed, { abortSignal: signal })
    const answer = await this.#readAnswer(response, body)
    if (isSuccess(response)) return { body: answer }
    // The SDK knows what to do with it: which error it is, and whether the clock is wrong.
    response.body = answer
    return this.#sendThroughStack(input, signal, { response })
  }

  /** With a `response`, nothing is sent: the stack takes it for the answer. */
  async #sendThroughStack(
    input: StreamInput,
    signal: AbortSignal,
    exchange: { body: OutgoingBody } | { response: HttpResponse },
  ): Promise<Exchanged> {
    const command = new PutRecordsCommand({ ...input, Records: [] })
    let answer: Buffer | undefined
    if ('body' in exchange) {
      around(command, 'after', 'serializerMiddleware', (next, args) => {
        args.request.body = exchange.body.bytes
        return next(args)
      })
    }
    around(command, 'after', 'deserializerMiddleware', async (next, args) => {
      if ('response' in exchange) return { response: exchange.response }
      const result = await next(args)
      const body = await this.#readAnswer(result.response, exchange.body)
      if (isSuccess(result.response)) answer = body
      result.response.body = answer === undefined ? body : EMPTY_OUTPUT
      return result
    })
    if (this.#keepsBuilt) {
      around(command, 'before', 'httpSigningMiddleware', async (next, args, context) => {
        await this.#keep(arnOf(input), args.request, context)
        return next(args)
      })
    }
    singleAttempt(command)
    const output = await this.#client.send(command, { abortSignal: signal })
    return answer === undefined ? { output } : { body: answer }
  }

  async #keep(streamArn: string | undefined, request: HttpRequest, context: SmithyContext): Promise<void> {
    const { config } = this.#client
    const { schemeId, signingProperties = {} } =
      context.__smithy_context?.selectedHttpAuthScheme?.httpAuthOption ?? {}
    if (schemeId !== 'aws.auth#sigv4') return
    const { signingRegion, signingName } = signingProperties
    // It asks for the credentials whenever it signs. The SDK makes another for every request.
    const signer = await config.signer(context.authSchemes?.[0])
    const scope = {
      ...(signingRegion === undefined ? {} : { signingRegion }),
      ...(signingName === undefined ? {} : { signingService: signingName }),
    }
    const { body: _, headers, ...address } = request
    this.#built = {
      streamArn,
      request: { ...address, headers: { ...headers } } as HttpRequest,
      // How far the clock is off was learnt when the request was built; whenever a signature is refused, it is learnt anew.
      sign: (unsigned) =>
        signer.sign(unsigned, { ...scope, signingDate: new Date(Date.now() + config.systemClockOffset) }),
    }
  }

  #readAnswer(response: HttpResponse, body: OutgoingBody): Promise<Buffer> {
    return readAnswerBody(response.body, body.hasLeft, (stream) =>
      this.#client.config.streamCollector(stream),
    )
  }
}

type Next = (args: { request: HttpRequest }) => Promise<{ response: HttpResponse }>

/** Adds middleware to one command. The SDK types its own by the step it belongs to; ours stand where there is a request. */
function around(
  command: PutRecordsCommand,
  relation: 'before' | 'after',
  toMiddleware: string,
  middleware: (
    next: Next,
    args: { request: HttpRequest },
    context: SmithyContext,
  ) => Promise<{ response: HttpResponse }>,
): void {
  command.middlewareStack.addRelativeTo(
    <Args, Result>(next: (args: Args) => Promise<Result>, context: object) =>
      (args: Args) =>
        middleware(next as unknown as Next, args as { request: HttpRequest }, context) as Promise<Result>,
    { name: `producer ${relation} ${toMiddleware}`, relation, toMiddleware },
  )
}

function arnOf(input: StreamInput): string | undefined {
  return 'StreamARN' in input ? input.StreamARN : undefined
}

/** As the SDK has it. */
function isSuccess(response: HttpResponse): boolean {
  return response.statusCode < 300
}
