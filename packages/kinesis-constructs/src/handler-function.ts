import { PROCESSING_NAMESPACE } from '@org/kinesis-core'
import { Duration, type RemovalPolicy } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { defined } from './defined.js'

/**
 * The code of a handler. `entry`: a TypeScript or JavaScript file that exports `handler`, bundled by esbuild on this machine
 * (esbuild must be installed, and a lock file must stand in the entry's folder or above it). `directory`: a folder as it is, of
 * which `handler` names the export (`index.handler` by default).
 */
export type HandlerCode =
  | { readonly entry: string }
  | { readonly directory: string; readonly handler?: string }

/** What the functions of the pipeline have in common. */
export interface HandlerFunctionOptions {
  /** @default - made by CloudFormation */
  readonly functionName?: string
  /**
   * MB.
   * @default 512, for a transform 128
   */
  readonly memorySize?: number
  /** @default Duration.seconds(60) */
  readonly timeout?: Duration
  /**
   * The most invocations at a time, taken out of the account's limit.
   * @default - not reserved
   */
  readonly reservedConcurrentExecutions?: number
  /** Beside the variables that the construct sets. */
  readonly environment?: Readonly<Record<string, string>>
  /** @default RetentionDays.ONE_MONTH */
  readonly logRetention?: RetentionDays
}

export interface HandlerFunctionProps extends HandlerFunctionOptions {
  readonly code: HandlerCode
  /** The dimension `service` of the metrics that the handler emits. */
  readonly serviceName: string
  readonly removalPolicy: RemovalPolicy
}

/** A Node 24 function on ARM with X-Ray, a log group of its own that ends, and a role that holds nothing but what it needs. */
export class HandlerFunction extends Construct {
  readonly function: lambda.Function

  constructor(scope: Construct, id: string, props: HandlerFunctionProps) {
    super(scope, id)
    const { functionName, reservedConcurrentExecutions, removalPolicy } = props
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention ?? RetentionDays.ONE_MONTH,
      removalPolicy,
      ...(functionName === undefined ? {} : { logGroupName: `/aws/lambda/${functionName}` }),
    })
    // By hand, for CDK's own role carries AWSLambdaBasicExecutionRole: any log group of the account.
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `Runs ${functionName ?? this.node.path}`,
    })
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        // The ARN ends in `:*`, which are the group's own log streams: Lambda makes and names them.
        resources: [logGroup.logGroupArn],
      }),
    )
    const settings = {
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: props.memorySize ?? 512,
      timeout: props.timeout ?? Duration.seconds(60),
      // Adds xray:PutTraceSegments and xray:PutTelemetryRecords on `*`: X-Ray has no resources to name there.
      tracing: lambda.Tracing.ACTIVE,
      logGroup,
      role,
      environment: {
        POWERTOOLS_SERVICE_NAME: props.serviceName,
        POWERTOOLS_METRICS_NAMESPACE: PROCESSING_NAMESPACE,
        ...props.environment,
      },
      ...defined({ functionName, reservedConcurrentExecutions }),
    }
    this.function =
      'entry' in props.code
        ? new NodejsFunction(this, 'Function', {
            ...settings,
            entry: props.code.entry,
            handler: 'handler',
            // Only for the SDK's version 2, which Node 24 has not.
            awsSdkConnectionReuse: false,
            bundling: BUNDLING,
          })
        : new lambda.Function(this, 'Function', {
            ...settings,
            code: lambda.Code.fromAsset(props.code.directory),
            handler: props.code.handler ?? 'index.handler',
          })
  }
}

const BUNDLING = {
  format: OutputFormat.ESM,
  target: 'node24',
  minify: true,
  mainFields: ['module', 'main'],
  // The SDK is bundled too: the version that was tested runs, and loads faster than the runtime's.
  externalModules: [],
  // Some dependencies of the SDK are CommonJS and require Node's own modules.
  banner: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
}
