import { StreamingError } from '@org/kinesis-core'

/** A line that cannot be read: names the line, the reason and the remedy. */
export class BadLineError extends StreamingError {
  constructor(
    readonly lineNumber: number,
    reason: string,
  ) {
    // The reason may quote the line, and the line is anybody's text: its control characters must not reach a terminal.
    super(
      `Line ${lineNumber}: ${reason.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')} Mend it, or pass --on-bad-line skip.`,
      {
        code: 'BAD_LINE',
        retryable: false,
      },
    )
  }
}
