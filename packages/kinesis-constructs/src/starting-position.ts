import { Annotations } from 'aws-cdk-lib'
import { StartingPosition } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'

/** The oldest record, unless told otherwise. LATEST is possible, and says what it costs. */
export function startingPosition(scope: Construct, given = StartingPosition.TRIM_HORIZON): StartingPosition {
  if (given === StartingPosition.LATEST) {
    Annotations.of(scope).addWarningV2(
      '@org/kinesis-constructs:startingPosition',
      'LATEST misses the records that are written while the mapping is created or replaced: TRIM_HORIZON misses none.',
    )
  }
  return given
}
