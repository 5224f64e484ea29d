/** The two tables, as the CDK app defines them: keys and index only, which is what the local DynamoDB knows. */

export function processedDataTable(tableName: string) {
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'user_id', AttributeType: 'S' },
      { AttributeName: 'timestamp', AttributeType: 'S' },
      { AttributeName: 'event_type', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'user_id', KeyType: 'HASH' },
      { AttributeName: 'timestamp', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'event-type-index',
        KeySchema: [
          { AttributeName: 'event_type', KeyType: 'HASH' },
          { AttributeName: 'timestamp', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
  }
}

export function windowsTable(tableName: string) {
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'window_key', AttributeType: 'S' },
      { AttributeName: 'partial_id', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'window_key', KeyType: 'HASH' },
      { AttributeName: 'partial_id', KeyType: 'RANGE' },
    ],
  }
}
