/** The views that queries see, with the columns that every run has; fields that only some events have come beside them. */
export const views = {
  lake: {
    about: 'delivered events, as they were put: one row per line, with the folders of the lake as columns',
    columns: {
      event_id: 'VARCHAR',
      timestamp: 'TIMESTAMP',
      user_id: 'VARCHAR',
      event_type: 'VARCHAR',
      value: 'DOUBLE',
      metadata: 'JSON',
      transform_timestamp: 'TIMESTAMP',
      partition_key: 'VARCHAR',
      year: 'BIGINT',
      month: 'BIGINT',
      day: 'BIGINT',
      hour: 'VARCHAR',
    },
  },
  processed: {
    about: 'items of the table: valid events, trimmed, with event_type in upper case',
    columns: {
      event_id: 'VARCHAR',
      timestamp: 'VARCHAR',
      user_id: 'VARCHAR',
      event_type: 'VARCHAR',
      value: 'DOUBLE',
      metadata: 'JSON',
      event_time: 'TIMESTAMP',
      processed_at: 'TIMESTAMP',
      processing_version: 'VARCHAR',
      shard_id: 'VARCHAR',
      sequence_number: 'VARCHAR',
      ttl: 'BIGINT',
    },
  },
  windows: {
    about:
      'one-minute windows per user and event type, as partials: sum event_count over user_id, event_type, window_start',
    columns: {
      window_key: 'VARCHAR',
      user_id: 'VARCHAR',
      event_type: 'VARCHAR',
      partial_id: 'VARCHAR',
      window_start: 'TIMESTAMP',
      window_end: 'TIMESTAMP',
      shard_id: 'VARCHAR',
      event_count: 'BIGINT',
      value_count: 'BIGINT',
      value_sum: 'DOUBLE',
      avg_value: 'DOUBLE',
      min_value: 'DOUBLE',
      max_value: 'DOUBLE',
    },
  },
  rejected: {
    about: 'rejected records: where they were, why they were rejected, and the payload in base64',
    columns: {
      version: 'BIGINT',
      streamArn: 'VARCHAR',
      streamName: 'VARCHAR',
      shardId: 'VARCHAR',
      sequenceNumber: 'VARCHAR',
      subSequenceNumber: 'BIGINT',
      partitionKey: 'VARCHAR',
      arrivalMs: 'BIGINT',
      arrivalTime: 'TIMESTAMP',
      rejectedTime: 'TIMESTAMP',
      reasonCode: 'VARCHAR',
      errors: 'STRUCT("name" VARCHAR, message VARCHAR)[]',
      payload: 'VARCHAR',
    },
  },
} as const satisfies Record<string, { about: string; columns: Record<string, string> }>

/** For the help: each view, what a row of it is, and its columns. */
export function viewsText(): string {
  const lines = Object.entries(views).flatMap(([name, { about, columns }]) => [
    `  ${name.padEnd(10)} ${about}`,
    ...wrapped(Object.keys(columns).join(', '), 96).map((line) => `  ${''.padEnd(10)} ${line}`),
  ])
  return ['Views:', ...lines].join('\n')
}

function wrapped(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line === '') lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}
