import { access, constants, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { StreamingError } from '@org/kinesis-core'

/** Looks at a file that a flag names before anything is started, because of it. */
export async function checkReadable(flag: string, file: string): Promise<void> {
  const cannot = (error: NodeJS.ErrnoException) => {
    throw unusable(flag, file, error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code})`)
  }
  const stats = await stat(file).catch(cannot)
  if (stats.isDirectory()) throw unusable(flag, file, 'is a folder')
  await access(file, constants.R_OK).catch(cannot)
}

/** Likewise for one that will be written: not to be found out when the run is over. */
export async function checkWritable(flag: string, file: string): Promise<void> {
  const folder = dirname(resolve(file))
  const stats = await stat(resolve(file)).catch(() => undefined)
  if (stats?.isDirectory()) throw unusable(flag, file, 'is a folder')
  await access(stats === undefined ? folder : resolve(file), constants.W_OK).catch(
    (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? `${folder} does not exist` : `it refuses (${error.code})`
      throw unusable(flag, file, `cannot be written: ${reason}`)
    },
  )
}

function unusable(flag: string, file: string, reason: string): StreamingError {
  return new StreamingError(`${file} ${reason}. Check ${flag}.`, { code: 'BAD_FILE', retryable: false })
}
