import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StreamingError } from '@org/kinesis-core'

/** Where one run keeps what it leaves behind. */
export interface RunFolders {
  root: string
  lake: string
  failures: string
  windowFailures: string
  /** Names, places and edges of the pipeline, as the deployed stack publishes them. */
  topology: string
  /** One JSON line per item of the table, window partial, and rejected record. */
  processed: string
  windows: string
  rejected: string
  ledger: string
  account: string
}

/** Runs without `--data` go here: beside the workspace's other generated files, ignored by git. */
const DEFAULT_PARENT = fileURLToPath(new URL('../../../../.demo', import.meta.url))
const LATEST = 'latest'

/** Makes the folders of a run. A folder that the user names must be empty or new, so that two runs never mix. */
export async function createRunFolders(
  dataDir: string | undefined,
  parent = DEFAULT_PARENT,
): Promise<RunFolders> {
  const root = dataDir === undefined ? join(parent, `run-${process.pid}-${Date.now()}`) : resolve(dataDir)
  if (dataDir !== undefined) await assertEmpty(root)
  const folders = runFolders(root)
  for (const folder of [folders.lake, folders.failures]) {
    await makeFolder(folder).catch((error: NodeJS.ErrnoException) => {
      throw unusable(root, error)
    })
  }
  return folders
}

/**
 * Makes this run the one that is looked at without a name; the runs before it that have none make way. Not before there is something to look at:
 * a run that could not begin leaves the last one as it was.
 */
export async function keepAsLatest({ root }: RunFolders, parent = DEFAULT_PARENT): Promise<void> {
  await makeFolder(parent)
  await writeFile(join(parent, LATEST), root)
  if (dirname(root) === parent) await removeEarlierRuns(parent)
}

/** The folders of the run that `--data` names, or of the last one. */
export async function findRunFolders(
  dataDir: string | undefined,
  parent = DEFAULT_PARENT,
): Promise<RunFolders> {
  const root =
    dataDir === undefined
      ? await readFile(join(parent, LATEST), 'utf8').catch(() => undefined)
      : resolve(dataDir)
  if (root === undefined) {
    throw new StreamingError(
      'There is no run to look at yet. Run the demo first, or name a folder with --data.',
      {
        code: 'NO_RUN',
        retryable: false,
      },
    )
  }
  const folders = runFolders(root)
  if (!existsSync(folders.lake)) {
    throw new StreamingError(
      `${root} holds no lake. Name the folder that a demo run was given with --data.`,
      {
        code: 'NO_RUN',
        retryable: false,
      },
    )
  }
  return folders
}

function runFolders(root: string): RunFolders {
  return {
    root,
    lake: join(root, 'lake'),
    failures: join(root, 'failures'),
    windowFailures: join(root, 'window-failures'),
    topology: join(root, 'topology.json'),
    processed: join(root, 'processed.ndjson'),
    windows: join(root, 'windows.ndjson'),
    rejected: join(root, 'rejected.ndjson'),
    ledger: join(root, 'ledger.tsv'),
    account: join(root, 'account.json'),
  }
}

/**
 * Makes a folder and those above it, from the nearest one that exists. Not `mkdir` with `recursive`: where a folder exists that takes no others and
 * answers ENOENT (`/proc` on Linux), Node tries its parent and the folder itself in turn, for ever.
 */
async function makeFolder(path: string): Promise<void> {
  const missing: string[] = []
  for (let folder = path; !existsSync(folder) && folder !== dirname(folder); folder = dirname(folder))
    missing.unshift(folder)
  for (const folder of missing) {
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      // Somebody else made it in the meantime.
      if (error.code !== 'EEXIST') throw error
    })
  }
  if (!(await stat(path)).isDirectory()) throw Object.assign(new Error(path), { code: 'ENOTDIR' })
}

async function assertEmpty(root: string): Promise<void> {
  const entries = await readdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw unusable(root, error)
  })
  if (entries.length > 0) {
    throw new StreamingError(`--data ${root} is not empty. Name a new folder, or remove what is in it.`, {
      code: 'BAD_DATA_DIR',
      retryable: false,
    })
  }
}

function unusable(root: string, error: NodeJS.ErrnoException): StreamingError {
  return new StreamingError(
    `${root} cannot be used (${error.code}). Name a folder that can be written with --data.`,
    {
      code: 'BAD_DATA_DIR',
      retryable: false,
      cause: error,
    },
  )
}

/** Only runs whose process has ended: another demo may be running beside this one. */
async function removeEarlierRuns(parent: string): Promise<void> {
  const entries = await readdir(parent)
  for (const entry of entries) {
    const pid = Number(/^run-(\d+)-/.exec(entry)?.[1] ?? Number.NaN)
    if (!Number.isNaN(pid) && !isRunning(pid)) await rm(join(parent, entry), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, and is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
