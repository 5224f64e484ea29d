import { InvalidOptionError } from '@org/kinesis-core'
import type { Node } from 'constructs'

export const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const
export type EnvironmentName = (typeof ENVIRONMENTS)[number]

/** What a deployment can choose. */
export interface StackParameters {
  /** First part of every name. */
  projectName: string
  /** Second part; in `prod` data is retained. */
  environmentName: EnvironmentName
  /** 1 to 100. */
  initialShardCount: number
  /** 24 to 168. */
  retentionPeriodHours: number
}

/** `<project>-staging-data-lake-<account>` is the longest name; a bucket's may have 63 characters. */
const MAX_PROJECT_NAME = 63 - '-staging-data-lake-000000000000'.length

/** Reads the context: `-c name=value` on the command line, or `context` in cdk.json. */
export function readParameters(node: Node): StackParameters {
  return {
    projectName: projectName(node.tryGetContext('projectName')),
    environmentName: environmentName(node.tryGetContext('environmentName')),
    initialShardCount: wholeNumber(node, 'initialShardCount', { default: 2, least: 1, most: 100 }),
    retentionPeriodHours: wholeNumber(node, 'retentionPeriodHours', { default: 24, least: 24, most: 168 }),
  }
}

function projectName(given: unknown = 'kinesis-streaming'): string {
  const fits = new RegExp(`^(?=.{1,${MAX_PROJECT_NAME}}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
  if (typeof given === 'string' && fits.test(given)) return given
  throw new InvalidOptionError(
    'projectName',
    given,
    `Use 1 to ${MAX_PROJECT_NAME} lower-case letters, digits and single hyphens, beginning with a letter.`,
  )
}

function environmentName(given: unknown = 'dev'): EnvironmentName {
  const found = ENVIRONMENTS.find((name) => name === given)
  if (found !== undefined) return found
  throw new InvalidOptionError('environmentName', given, `Use one of ${ENVIRONMENTS.join(', ')}.`)
}

function wholeNumber(
  node: Node,
  name: string,
  range: { default: number; least: number; most: number },
): number {
  const given: unknown = node.tryGetContext(name) ?? range.default
  // The command line gives text, cdk.json a number.
  const value = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given
  if (typeof value === 'number' && Number.isInteger(value) && value >= range.least && value <= range.most) {
    return value
  }
  throw new InvalidOptionError(name, given, `Use a whole number from ${range.least} to ${range.most}.`)
}
