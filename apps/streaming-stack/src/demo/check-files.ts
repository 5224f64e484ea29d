import { access, constants, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { StreamingError } from '@org/kinesis-core'

/**
 * Looks at the files that flags name before anything is started: a mistyped name must neither cost the last run's folder, nor be found out when the
 * run is over and its account cannot be written.
 */
export async function checkFiles(options: {
  replay: { file: string } | undefined
  jsonFile: string | undefined
}): Promise<void> {
  if (options.replay !== undefined && options.replay.file !== '-') await checkReadable(options.replay.file)
  if (options.jsonFile !== undefined) await checkWritable(resolve(options.jsonFile))
}

async function checkReadable(file: string): Promise<void> {
  const stats = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw unusable(
      '--replay',
      file,
      error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code})`,
    )
  })
  if (stats.isDirectory()) throw unusable('--replay', file, 'is a folder')
  await access(file, constants.R_OK).catch((error: NodeJS.ErrnoException) => {
    throw unusable('--replay', file, `cannot be read (${error.code})`)
  })
}

async function checkWritable(file: string): Promise<void> {
  const folder = dirname(file)
  await access(folder, constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    throw unusable(
      '--json',
      file,
      `cannot be written: ${folder} ${error.code === 'ENOENT' ? 'does not exist' : `refuses (${error.code})`}`,
    )
  })
  const stats = await stat(file).catch(() => undefined)
  if (stats?.isDirectory()) throw unusable('--json', file, 'is a folder')
}

function unusable(flag: string, file: string, reason: string): StreamingError {
  return new StreamingError(`${file} ${reason}. Check ${flag}.`, { code: 'BAD_FILE', retryable: false })
}
