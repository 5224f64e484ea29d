import { mergeConfig } from 'vitest/config'
import base from '../../vitest.base.js'

/**
 * One process for all files: loading aws-cdk-lib takes seconds, and once is enough. A process and not a thread, because CDK
 * hands its standard error on to esbuild.
 */
export default mergeConfig(base, {
  test: { pool: 'forks', isolate: false, maxWorkers: 1, globalSetup: 'test/support/own-temporary-folder.ts' },
})
