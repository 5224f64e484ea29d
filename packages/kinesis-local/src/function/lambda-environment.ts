import { basename, dirname, extname } from 'node:path'
import type { ResolvedLocalFunctionOptions } from './function-options.js'
import type { HostDependencies } from './host-dependencies.js'

/** What a process needs to run at all; the rest of this process's environment is no business of a handler. */
const inherited = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'LANG', 'SystemRoot']

export function functionArn(name: string, { region, accountId }: HostDependencies): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${name}`
}

/** The environment of a handler's process: Lambda's own variables, the way to the local services, then the function's. */
export function lambdaEnvironment(
  options: ResolvedLocalFunctionOptions,
  deps: HostDependencies,
  logStream: string,
): Record<string, string> {
  const { name, file, exportName, memoryMb } = options
  const machine = inherited.flatMap((key) => {
    const value = process.env[key]
    return value === undefined ? [] : [[key, value] as const]
  })
  return {
    ...Object.fromEntries(machine),
    TZ: 'UTC',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`,
    LAMBDA_TASK_ROOT: dirname(file),
    _HANDLER: `${basename(file, extname(file))}.${exportName}`,
    AWS_REGION: deps.region,
    AWS_DEFAULT_REGION: deps.region,
    AWS_ENDPOINT_URL: deps.url,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    ...deps.environment,
    KINESIS_LOCAL_FUNCTION_ARN: functionArn(name, deps),
    ...options.environment,
  }
}
