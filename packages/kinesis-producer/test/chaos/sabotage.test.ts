import { describe, expect, it } from 'vitest'
import {
  type CloseOptions,
  KinesisProducer,
  type KinesisProducerOptions,
  type ProducerError,
  type ProducerRecord,
  type PutAllResult,
  type Receipt,
  type RecordSource,
} from '../../src/index.js'
import { ChaosError } from './chaos-error.js'
import { complaintAbout } from './complaint-about.js'
import type { ProducerClass } from './run-seed.js'
import type { Scenario } from './scenario.js'
import type { Rule } from './violation.js'

class LosesAnswers extends KinesisProducer {
  #puts = 0
  override put(record: ProducerRecord): Promise<Receipt> {
    const settled = super.put(record)
    return ++this.#puts % 10 === 0 ? settled.then(() => new Promise<Receipt>(() => {})) : settled
  }
}

class CallsFailuresDelivered extends KinesisProducer {
  override async put(record: ProducerRecord): Promise<Receipt> {
    return super.put(record).catch(() => ({
      shardId: 'shardId-000000000000',
      sequenceNumber: '1',
      subSequenceNumber: 0,
      attempts: 1,
      history: [],
    }))
  }
}

class CallsTheUnknownUndelivered extends KinesisProducer {
  override put(record: ProducerRecord): Promise<Receipt> {
    return super.put(record).catch((error: ProducerError) => {
      throw Object.assign(error, { maybeDelivered: false })
    })
  }
}

class CountsOneAttempt extends KinesisProducer {
  override async put(record: ProducerRecord): Promise<Receipt> {
    return { ...(await super.put(record)), attempts: 1 }
  }
}

class PutsTwice extends KinesisProducer {
  override put(record: ProducerRecord): Promise<Receipt> {
    super.put(record).catch(() => {})
    return super.put(record)
  }
}

class PutsOtherBytes extends KinesisProducer {
  override put(record: ProducerRecord): Promise<Receipt> {
    const { data } = record
    return super.put(
      data instanceof Uint8Array ? { ...record, data: Buffer.concat([data, Buffer.of(0)]) } : record,
    )
  }
}

class LetsRecordsOvertake extends KinesisProducer {
  readonly #options: KinesisProducerOptions
  #puts = 0
  constructor(options: KinesisProducerOptions) {
    super(options)
    this.#options = options
  }
  override async put(record: ProducerRecord): Promise<Receipt> {
    if (++this.#puts % 10 === 0)
      await new Promise<void>((resolve) => this.#options.clock!.schedule(50, resolve))
    return super.put(record)
  }
}

class ForgetsAttempts extends KinesisProducer {
  override async put(record: ProducerRecord): Promise<Receipt> {
    const receipt = await super.put(record)
    return { ...receipt, history: receipt.history.slice(-1) }
  }
}

class CallsBackTwice extends KinesisProducer {
  override enqueue(...[record, onDelivered, onFailed]: Parameters<KinesisProducer['enqueue']>): boolean {
    return super.enqueue(
      record,
      (receipt) => {
        onDelivered?.(receipt)
        onDelivered?.(receipt)
      },
      onFailed,
    )
  }
}

class CountsOneTooMany extends KinesisProducer {
  override async putAll(source: RecordSource): Promise<PutAllResult> {
    const result = await super.putAll(source)
    return { ...result, delivered: result.delivered + 1 }
  }
}

class DoesNotWaitInFlush extends KinesisProducer {
  override async flush(): Promise<void> {
    super.flush().catch(() => {})
  }
}

class HidesTheUndelivered extends KinesisProducer {
  override async close(options?: CloseOptions) {
    await super.close(options)
    return { undelivered: [] }
  }
}

class NeverCloses extends KinesisProducer {
  override async close(): Promise<never> {
    return new Promise(() => {})
  }
}

describe('the campaign notices a producer that', () => {
  // Where flush() does not wait, putAll() tries for room in one turn of the loop, for ever.
  const hasNoPutAll = ({ traffic: { way } }: Scenario) => way !== 'put-all' && way !== 'any'

  it.each<[string, ProducerClass, Rule, ((scenario: Scenario) => boolean)?]>([
    ['calls failures delivered', CallsFailuresDelivered, 'delivered is there'],
    [
      'says of what it does not know that it was not delivered',
      CallsTheUnknownUndelivered,
      'not delivered is not there',
    ],
    ['counts one attempt whatever it took', CountsOneAttempt, 'no more copies than attempts'],
    ['forgets attempts', ForgetsAttempts, 'receipts tell the history'],
    ['calls back twice', CallsBackTwice, 'every put settles'],
    ['counts one too many', CountsOneTooMany, 'hooks agree'],
    ['puts a record twice', PutsTwice, 'no more copies than attempts'],
    ['puts other bytes', PutsOtherBytes, 'nothing foreign is there'],
    ['lets records of a key overtake each other', LetsRecordsOvertake, 'keys are in order'],
    ['does not wait in flush', DoesNotWaitInFlush, 'flush is a barrier', hasNoPutAll],
    ['hides what it did not deliver', HidesTheUndelivered, 'close accounts for all'],
  ])('%s', async (_name, Producer, rule, isMeant) => {
    expect(await complaintAbout(Producer, rule, isMeant)).toBeInstanceOf(ChaosError)
  })

  it.each<[string, ProducerClass]>([
    ['leaves a put unsettled', LosesAnswers],
    ['never closes', NeverCloses],
  ])('%s', async (_name, Producer) => {
    expect((await complaintAbout(Producer))?.message).toContain('it broke off: The simulation is stuck')
  })

  it('and tells which record, what was expected, and which requests carried it', async () => {
    const { message } = (await complaintAbout(CallsFailuresDelivered, 'delivered is there'))!

    expect(message).toMatch(/^- delivered is there: Put \d+ has a receipt for \S+, and is /m)
    expect(message).toMatch(/^ {2}put \d+: key "\S+".*, \d+ bytes, receipt /m)
    expect(message).toMatch(/^ {4}(#\d+ PutRecords at \d+ ms.*; entry \d+ of \d+: |no request carried it)/m)
    expect(message).toContain('  scenario: {"seed":')
  })
})
