/** Where delivered objects go: a folder, an S3 endpoint, or whatever a caller brings. */
export interface ObjectStore {
  /** Resolves when the object is there, whole and durable. A rejected put is tried again, under the same key. */
  put(key: string, bytes: Uint8Array, metadata: ObjectMetadata): Promise<void>
  /** Lets go of connections. */
  close?(): void
}

export interface ObjectMetadata {
  contentType: string
}
