import * as sdk from '@aws-sdk/client-kinesis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal } from '../src/start-local.js'
import { kinesisClient, post, protocols } from './support/clients.js'

/** Those that the README says are missing. */
const MISSING = ['CreateChannel', 'DeleteChannel', 'DescribeChannel', 'ListChannels', 'UpdateChannel']
const StreamName = 'orders'
const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'

let local: Local

beforeAll(async () => {
  local = await startLocal({ streams: [{ name: StreamName, shards: 2 }] })
})
afterAll(() => local.close())

it('every operation of the installed SDK is known, but for those that the README names', async () => {
  const operations = Object.keys(sdk)
    .filter((name) => /^[A-Z]\w+Command$/.test(name))
    .map((name) => name.replace(/Command$/, ''))
  expect(operations.length).toBeGreaterThan(40)

  const unknown: string[] = []
  for (const operation of operations) {
    const response = await post(local.url, `Kinesis_20131202.${operation}`, '{}')
    const answer = (await response.json().catch(() => ({}))) as { __type?: string }
    if (answer.__type === 'UnknownOperationException') unknown.push(operation)
  }
  expect(unknown.sort()).toEqual(MISSING)
})

describe.each(protocols)('settings of a stream over %s', (_name, config) => {
  let client: sdk.KinesisClient

  beforeAll(() => {
    client = kinesisClient(local, config())
  })
  afterAll(() => client.destroy())

  it('are taken from the SDK and given back to it', async () => {
    const key = { EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' } as const
    await client.send(new sdk.StartStreamEncryptionCommand({ StreamName, ...key }))
    const summary = await client.send(new sdk.DescribeStreamSummaryCommand({ StreamName }))
    expect(summary.StreamDescriptionSummary).toMatchObject({ ...key, OpenShardCount: 2 })
    await client.send(new sdk.StopStreamEncryptionCommand({ StreamName, ...key }))

    await client.send(new sdk.TagResourceCommand({ ResourceARN: StreamARN, Tags: { team: 'a' } }))
    const { Tags } = await client.send(new sdk.ListTagsForResourceCommand({ ResourceARN: StreamARN }))
    expect(Tags).toEqual([{ Key: 'team', Value: 'a' }])
    await client.send(new sdk.UntagResourceCommand({ ResourceARN: StreamARN, TagKeys: ['team'] }))

    const Policy = '{"Version":"2012-10-17"}'
    await client.send(new sdk.PutResourcePolicyCommand({ ResourceARN: StreamARN, Policy }))
    const kept = await client.send(new sdk.GetResourcePolicyCommand({ ResourceARN: StreamARN }))
    expect(kept.Policy).toBe(Policy)
    await client.send(new sdk.DeleteResourcePolicyCommand({ ResourceARN: StreamARN }))

    const { Consumer } = await client.send(
      new sdk.RegisterStreamConsumerCommand({ StreamARN, ConsumerName: 'fast' }),
    )
    expect(Consumer?.ConsumerCreationTimestamp).toBeInstanceOf(Date)
    const { ConsumerARN } = Consumer!
    const found = await client.send(new sdk.DescribeStreamConsumerCommand({ ConsumerARN }))
    expect(found.ConsumerDescription).toEqual({ ...Consumer, StreamARN })
    await client.send(new sdk.DeregisterStreamConsumerCommand({ ConsumerARN }))
    await expect(client.send(new sdk.DescribeStreamConsumerCommand({ ConsumerARN }))).rejects.toThrow(
      sdk.ResourceNotFoundException,
    )
  })

  it('refuse resharding in the words of the service while the mode is on-demand', async () => {
    const modeOf = (StreamMode: sdk.StreamMode) =>
      client.send(new sdk.UpdateStreamModeCommand({ StreamARN, StreamModeDetails: { StreamMode } }))
    await modeOf('ON_DEMAND')

    await expect(
      client.send(
        new sdk.UpdateShardCountCommand({ StreamName, TargetShardCount: 4, ScalingType: 'UNIFORM_SCALING' }),
      ),
    ).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'Request is invalid. Stream orders under account 000000000000 is in On-Demand mode.',
    })
    await modeOf('PROVISIONED')
  })

  it('of the account switch its commitment on and off', async () => {
    const commit = async (Status: 'ENABLED' | 'DISABLED') =>
      client.send(new sdk.UpdateAccountSettingsCommand({ MinimumThroughputBillingCommitment: { Status } }))
    await commit('ENABLED')
    const { MinimumThroughputBillingCommitment: commitment } = await client.send(
      new sdk.DescribeAccountSettingsCommand({}),
    )

    expect(commitment).toMatchObject({ Status: 'ENABLED', StartedAt: expect.any(Date) })
    await commit('DISABLED')
  })
})
