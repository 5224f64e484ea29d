export { type DynamoDbSinkOptions, dynamoDbSink } from './dynamodb/dynamodb-sink.js'
