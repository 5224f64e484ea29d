export interface Subscription {
  arn: string
  topicArn: string
  /** ARN of an SQS queue. */
  endpoint: string
  /** Message and attributes as they are, instead of a JSON document about them. */
  isRaw: boolean
}

export interface Topic {
  arn: string
  name: string
  attributes: Readonly<Record<string, string>>
  /** Of message and attributes together (developer guide, "Publishing large messages"). */
  maxMessageBytes: number
  /** By ARN. */
  subscriptions: Map<string, Subscription>
}
