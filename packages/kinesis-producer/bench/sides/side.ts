/** A way to put records into the stream, as one process does it. */
export interface Side {
  /** Puts about so many records and resolves when each was accepted, with how many they were; throws where one was not. */
  put(records: number): Promise<number>
}

/** What a side is told of its surroundings. */
export interface Target {
  url: string
}

export const STREAM = 'bench'
export const REGION = 'us-east-1'
export const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' }

/** What every client is made with, whoever wrote it. */
export function clientOptions({ url }: Target) {
  return { endpoint: url, region: REGION, credentials: CREDENTIALS }
}

/** Runs `call` until it says that there is nothing left, so many at a time. */
export async function inParallel(width: number, call: () => Promise<boolean>): Promise<void> {
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (await call());
    }),
  )
}
