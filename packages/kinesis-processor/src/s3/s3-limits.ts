/** What is read of one object, before and after decompression: it is held in memory as a whole. */
export const MAX_OBJECT_BYTES = 64 * 1024 * 1024
