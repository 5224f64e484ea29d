/**
 * Does the work for each item, so many at a time. What returns no promise costs none: the first worker goes through all items where none of
 * them takes time, and each further one begins where those before it wait.
 */
export async function inParallel<Item>(
  items: Iterable<Item>,
  maxConcurrency: number,
  work: (item: Item) => Promise<void> | undefined,
): Promise<void> {
  // One iterator for all workers: each takes the next item that nobody has.
  const rest = items[Symbol.iterator]()
  let isAllTaken = false
  const worker = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) {
      const underway = work(next.value)
      if (underway !== undefined) await underway
    }
    isAllTaken = true
  }
  const workers: Promise<void>[] = []
  while (!isAllTaken && workers.length < maxConcurrency) workers.push(worker())
  await Promise.all(workers)
}
