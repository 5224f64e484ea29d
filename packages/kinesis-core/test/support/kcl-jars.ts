import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const JAVA_FOLDER = fileURLToPath(new URL('../java/', import.meta.url))
const CACHE_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))
const FETCH_LIMIT_MS = 240_000

/** The jars of test/java/pom.xml, brought by Maven once and checked each time; or what is missing here. */
export function findKclJars(): { classPath: string } | { missing: string } {
  if (!runs('java', '--list-modules')?.includes('jdk.compiler'))
    return { missing: 'a JDK of Java 11 or newer' }
  const sums = readFileSync(join(JAVA_FOLDER, 'SHA256SUMS'), 'utf8')
  const folder = join(CACHE_FOLDER, `kcl-${sha256(sums).slice(0, 16)}`)
  if (!existsSync(folder)) {
    if (runs('mvn', '--version') === undefined) return { missing: 'Maven (mvn)' }
    if (!fetchJars(folder)) return { missing: "a network that reaches Maven's repository" }
  }
  const jars = sums.trim().split('\n').map(toJar)
  for (const { name, sum } of jars) {
    const found = sha256(readFileSync(join(folder, name)))
    if (found !== sum) throw new Error(`${folder}: ${name} has the SHA-256 ${found} instead of ${sum}`)
  }
  return { classPath: jars.map(({ name }) => join(folder, name)).join(delimiter) }
}

/** By way of a folder of its own, so that a folder with the final name is complete. */
function fetchJars(folder: string): boolean {
  mkdirSync(CACHE_FOLDER, { recursive: true })
  const own = mkdtempSync(join(CACHE_FOLDER, 'kcl-fetch-'))
  try {
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${own}`]
    if (runs('mvn', '-B', '-q', '-f', join(JAVA_FOLDER, 'pom.xml'), ...goal) === undefined) return false
    renameSync(own, folder)
    return true
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

function toJar(line: string): { sum: string; name: string } {
  const [sum = '', name = ''] = line.split(/\s+/)
  return { sum, name }
}

function runs(command: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: FETCH_LIMIT_MS,
    })
  } catch {
    return undefined
  }
}
