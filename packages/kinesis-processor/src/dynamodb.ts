export type { DynamoDbSinkOptions, PutCondition } from './dynamodb/dynamodb-options.js'
export { dynamoDbSink } from './dynamodb/dynamodb-sink.js'
export {
  type DynamoDbWindowTable,
  type DynamoDbWindowTableOptions,
  dynamoDbWindowTable,
} from './dynamodb/window-table.js'
