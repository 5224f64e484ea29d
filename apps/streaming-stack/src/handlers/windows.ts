import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { required } from './environment.js'
import { userEventWindows } from './user-event-windows.js'

/** The stream's windows as Lambda runs them: client and table come from the environment. */
export const handler = userEventWindows({
  dynamodb: new DynamoDBClient({}),
  tableName: required('WINDOWS_TABLE_NAME'),
})
