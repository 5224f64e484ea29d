import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TopologyManifest, TopologyNode, TopologyNodeKind } from '@org/kinesis-core'
import { Arn, ArnFormat, attachCustomSynthesis, CfnOutput, type Stack } from 'aws-cdk-lib'
import { pipelineEdges } from '../pipeline-edges.js'

/** The names of everything in the stack: known before anything is deployed, because the stack gives them. */
export interface PipelineNames {
  stream: string
  processor: string
  transform: string
  analytics: string
  processedTable: string
  windowsTable: string
  rejectedQueue: string
  failureBucket: string
  deliveryStream: string
  lakeBucket: string
  alarmTopic: string
}

/** The same document as a local run writes, with the same ids: whoever reads one reads the other. */
export function describeTopology(stack: Stack, names: PipelineNames): TopologyManifest {
  const node = (id: string, kind: TopologyNodeKind, name: string, service: string, resource?: string) => ({
    id,
    kind,
    name,
    arn: arnOf(stack, service, name, resource),
  })
  const nodes: TopologyNode[] = [
    node('stream', 'stream', names.stream, 'kinesis', 'stream/'),
    node('stream-processor', 'function', names.processor, 'lambda', 'function:'),
    node('data-transform', 'function', names.transform, 'lambda', 'function:'),
    node('windows', 'function', names.analytics, 'lambda', 'function:'),
    node('processed-data', 'table', names.processedTable, 'dynamodb', 'table/'),
    node('window-results', 'table', names.windowsTable, 'dynamodb', 'table/'),
    node('rejected', 'queue', names.rejectedQueue, 'sqs'),
    node('rejected-dead-letters', 'queue', `${names.rejectedQueue}-dead-letters`, 'sqs'),
    node('failures', 'bucket', names.failureBucket, 's3'),
    node('delivery', 'delivery-stream', names.deliveryStream, 'firehose', 'deliverystream/'),
    node('data-lake', 'bucket', names.lakeBucket, 's3'),
    node('alarms', 'topic', names.alarmTopic, 'sns'),
  ]
  return { version: 1, kind: 'aws', region: stack.region, nodes, edges: pipelineEdges(nodes) }
}

/**
 * Publishes the manifest twice: as the output `Topology`, in which CloudFormation fills in account and region, and as
 * `<stack>.topology.json` beside the template. Where the stack is synthesized without an account, the file holds `${AWS::AccountId}`
 * and the like in their places.
 */
export function publishTopology(stack: Stack, manifest: TopologyManifest): void {
  const json = stack.toJsonString(manifest)
  const output = new CfnOutput(stack, 'Topology', {
    description: 'Names, ARNs and edges of the pipeline, which kinesis-monitor reads',
    value: json,
  })
  attachCustomSynthesis(output, {
    onSynthesize: ({ outdir }) => {
      const document: unknown = JSON.parse(withPlaceholders(stack.resolve(json)))
      writeFileSync(
        join(outdir, `${stack.stackName}.topology.json`),
        `${JSON.stringify(document, undefined, 2)}\n`,
      )
    },
  })
}

function arnOf(stack: Stack, service: string, name: string, resource = ''): string {
  const arnFormat = ArnFormat.NO_RESOURCE_NAME
  const place = service === 's3' ? { region: '', account: '' } : {}
  return Arn.format({ service, resource: `${resource}${name}`, arnFormat, ...place }, stack)
}

/** Joins what CDK left for CloudFormation to join; only pseudo parameters are left in the manifest. */
function withPlaceholders(value: unknown): string {
  if (typeof value === 'string') return value
  const { Ref, 'Fn::Join': join } = value as { Ref?: string; 'Fn::Join'?: [string, unknown[]] }
  if (join !== undefined) return join[1].map(withPlaceholders).join(join[0])
  return `\${${Ref}}`
}
