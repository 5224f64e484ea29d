import { isAbsolute } from 'node:path'
import { InvalidOptionError } from '@org/kinesis-core'
import type { DeliveryStreamOptions, ResolvedDeliveryStreamOptions } from './delivery-options.js'
import { folderStore } from './folder-store.js'
import type { ObjectStore } from './object-store.js'
import { parquetConverter } from './parquet.js'
import { s3Store } from './s3-store.js'

/** Where objects go; buckets are in `region` unless their destination says otherwise. */
export function resolveStore(
  { folder, destination }: Pick<DeliveryStreamOptions, 'folder' | 'destination'>,
  region: string,
): ObjectStore {
  if (destination === undefined) {
    if (typeof folder === 'string' && isAbsolute(folder)) return folderStore(folder)
    throw new InvalidOptionError('folder', folder, 'Give an absolute path, or a destination.')
  }
  if (folder !== undefined) {
    throw new InvalidOptionError('folder', folder, 'Give a folder or a destination, not both.')
  }
  if (typeof destination !== 'object' || destination === null) {
    throw new InvalidOptionError(
      'destination',
      destination,
      'Give { bucket, endpoint }, or a store with put().',
    )
  }
  if (!('put' in destination)) return s3Store({ region, ...destination })
  if (typeof destination.put === 'function') return destination
  throw new InvalidOptionError('destination.put', destination.put, 'Give a function.')
}

/** What objects are made of, and what their names end with. */
export function resolveFormat({
  compression,
  parquet,
  fileExtension,
}: Pick<DeliveryStreamOptions, 'compression' | 'parquet' | 'fileExtension'>): Pick<
  ResolvedDeliveryStreamOptions,
  'compression' | 'parquet' | 'fileExtension'
> {
  if (compression !== undefined && compression !== 'GZIP' && compression !== 'UNCOMPRESSED') {
    throw new InvalidOptionError('compression', compression, 'Give GZIP or UNCOMPRESSED.')
  }
  if (parquet !== undefined && (typeof parquet !== 'object' || parquet === null)) {
    throw new InvalidOptionError('parquet', parquet, 'Give { columns }.')
  }
  if (parquet !== undefined && compression === 'GZIP') {
    throw new InvalidOptionError('compression', compression, 'Leave it out: Parquet is compressed inside.')
  }
  if (fileExtension !== undefined && !/^(\.[0-9a-z!\-_.*'()]{1,127})?$/.test(fileExtension)) {
    throw new InvalidOptionError('fileExtension', fileExtension, 'Give a dot, lower-case letters and digits.')
  }
  const isGzip = parquet === undefined && compression !== 'UNCOMPRESSED'
  return {
    compression: isGzip ? 'GZIP' : 'UNCOMPRESSED',
    parquet: parquet && parquetConverter(parquet),
    fileExtension: fileExtension ?? (parquet === undefined ? (isGzip ? '.gz' : '') : '.parquet'),
  }
}
