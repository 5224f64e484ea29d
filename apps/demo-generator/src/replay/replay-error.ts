import { StreamingError } from '@org/kinesis-core'
import { printable } from './field-map.js'

/** A line that cannot be read: names the line, the reason and the remedy. */
export class BadLineError extends StreamingError {
  constructor(
    readonly lineNumber: number,
    reason: string,
  ) {
    super(`Line ${lineNumber}: ${printable(reason)} Mend it, or pass --on-bad-line skip.`, {
      code: 'BAD_LINE',
      retryable: false,
    })
  }
}
