import { createHash } from 'node:crypto'
import { writeDurably } from './durable-file.js'
import type { ObjectStore } from './object-store.js'

/** What file systems take in one name. */
const MAX_NAME_BYTES = 255

/** A folder that stands for a bucket; slashes in keys make folders. */
export function folderStore(folder: string): ObjectStore {
  return { put: (key, bytes) => writeDurably(folder, key.split('/').map(fileName).join('/'), bytes) }
}

/** Keys may be made of what is in records: they must not lead out of the folder, nor be names that no file can have. */
function fileName(part: string): string {
  const name = part === '.' || part === '..' ? part.replaceAll('.', '%2E') : part.replaceAll('\0', '%00')
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name
  return `${Buffer.from(name)
    .subarray(0, 180)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '_')}~${createHash('sha256').update(part).digest('hex').slice(0, 32)}`
}
