#!/usr/bin/env node
import { once } from 'node:events'
import { CLI_HELP, readCliArguments } from './cli-arguments.js'
import { startLocal } from './start-local.js'

try {
  await main()
} catch (error) {
  // One line that names the remedy: whoever types a command has no use for a stack.
  process.stderr.write(`kinesis-local: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const options = readCliArguments(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(CLI_HELP)
    return
  }
  const local = await startLocal(options)
  const exports = Object.entries(local.environment).map(([name, value]) => `export ${name}=${value}\n`)
  process.stdout.write(
    `Kinesis, DynamoDB, SQS, SNS, Firehose and CloudWatch listen on ${local.url} until Ctrl-C.\n\n${exports.join('')}`,
  )
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  // A second signal ends it at once.
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  await local.close()
}
