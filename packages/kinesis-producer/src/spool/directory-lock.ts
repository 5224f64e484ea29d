import { createHash, randomUUID } from 'node:crypto'
import { closeSync, openSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { cannotOpen, isInUse } from './spool-error.js'

const CLAIM = /^lock-(\d+)-[0-9a-f]{8}$/
const CLAIM_IN_THE_MAKING = /^lock-\d+-[0-9a-f]{8}\.new$/

/** What an address of a socket holds, the least of all systems (macOS). */
const MAX_SOCKET_PATH_BYTES = 103

/**
 * Keeps a directory for this process; returns what gives it back.
 *
 * A claim is a socket that its process listens on. The kernel ends that with the process, however it ends, and tells the living from
 * the dead for every process of the machine: of another container too, where numbers of processes mean nothing.
 *
 * Each lays a claim of its own before it looks for those of others, and nobody removes one that is alive: of two that come at once
 * each sees the other, and none or one gets the directory.
 */
export async function lockDirectory(directory: string): Promise<() => void> {
  if (process.platform === 'win32') return lockPipe(directory)
  const name = `lock-${process.pid}-${randomUUID().slice(0, 8)}`
  const sockets = new SocketPaths(directory)
  let server: Server | undefined
  const release = () => {
    rmSync(join(directory, name), { force: true })
    server?.close()
  }
  try {
    server = await listen(sockets.pathOf(`${name}.new`), directory)
    // Under its name it is listened on: a claim that is not is over.
    rename(directory, `${name}.new`, name)
    for (const other of readdirSync(directory)) {
      const pid = CLAIM.exec(other)?.[1]
      if (other === name || (pid === undefined && !CLAIM_IN_THE_MAKING.test(other))) continue
      if (!(await isListenedOn(sockets.pathOf(other)))) rmSync(join(directory, other), { force: true })
      else if (pid !== undefined) throw isInUse(directory, pid)
    }
    return release
  } catch (error) {
    release()
    throw error
  } finally {
    sockets.close()
  }
}

/** Windows has no sockets in directories, but names of pipes that only one living process can have. */
async function lockPipe(directory: string): Promise<() => void> {
  const id = createHash('sha256').update(realpathSync.native(directory).toLowerCase()).digest('hex')
  const server = await listen(`\\\\.\\pipe\\kinesis-spool-${id}`, directory)
  return () => server.close()
}

function rename(directory: string, from: string, to: string): void {
  try {
    renameSync(join(directory, from), join(directory, to))
  } catch (error) {
    // Another process saw it before it was listened on.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw isInUse(directory, 'not known')
    throw error
  }
}

async function listen(path: string, directory: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      // Exclusive: a worker of a cluster would otherwise have its primary listen.
      server.listen({ path, exclusive: true }, resolve)
    })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') throw isInUse(directory, 'not known')
    const remedy =
      'It is locked by a socket in it: give a directory on a disk of this machine, with a short path.'
    throw cannotOpen(directory, remedy, cause)
  }
  server.on('error', () => {})
  server.unref()
  return server
}

function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // Whatever else happens, there may be somebody.
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(!['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'].includes(error.code ?? ''))
    })
  })
}

/** Paths of sockets in a directory; where they are too long for the system, Linux has a shorter way through an open file. */
class SocketPaths {
  readonly #directory: string
  #file: number | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  pathOf(name: string): string {
    const path = join(this.#directory, name)
    if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES || process.platform !== 'linux') return path
    this.#file ??= openSync(this.#directory, 'r')
    return `/proc/self/fd/${this.#file}/${name}`
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }
}
