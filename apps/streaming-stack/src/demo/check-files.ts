import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { checkReadable, checkWritable } from '@org/demo-generator/command-line'
import type { DemoOptions } from './demo-options.js'

/**
 * Looks at the files that flags name before anything is started: a mistyped name should not be found out when the run is over and its
 * account cannot be written.
 */
export async function checkFiles({
  replay,
  jsonFile,
  dataDir,
}: Pick<DemoOptions, 'replay' | 'jsonFile' | 'dataDir'>): Promise<void> {
  if (replay !== undefined && replay.file !== '-') await checkReadable('--replay', replay.file)
  if (jsonFile === undefined) return
  // The run makes this folder, or refuses it with a reason of its own.
  const isInNewFolder = dataDir !== undefined && dirname(resolve(jsonFile)) === resolve(dataDir)
  if (!isInNewFolder || existsSync(dataDir)) await checkWritable('--json', jsonFile)
}
