import { fileURLToPath } from 'node:url'
import { StreamingError } from '@org/kinesis-core'
import { App } from 'aws-cdk-lib'
import { readParameters } from './parameters.js'
import { StreamingStack } from './streaming-stack.js'

/** What `cdk` runs (see cdk.json). Account and region are known where `cdk` has credentials, and not needed to synthesize. */
try {
  const app = new App()
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env
  new StreamingStack(app, 'StreamingStack', {
    parameters: readParameters(app.node),
    handlersDirectory: fileURLToPath(new URL('../handlers', import.meta.url)),
    ...(account && region ? { env: { account, region } } : {}),
  })
  app.synth()
} catch (error) {
  if (!StreamingError.isInstance(error)) throw error
  // The message names the remedy: a stack trace under it would only hide it.
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
