import { execFileSync, spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Manifest {
  name: string
  version: string
  bin?: Record<string, string>
  exports: Record<string, unknown>
  peerDependencies?: Record<string, string>
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const manifests = globSync('packages/*/package.json', { cwd: root }).map((file) => ({
  folder: dirname(join(root, file)),
  manifest: JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest,
}))
const specifiers = manifests.flatMap(({ manifest }) =>
  Object.keys(manifest.exports)
    .filter((path) => !path.endsWith('.json'))
    .map((path) => `${manifest.name}${path.slice(1)}`),
)

/** An empty folder outside the repository, where the packages are known only by their tarballs. */
const consumer = realpathSync(mkdtempSync(join(tmpdir(), 'kinesis-consumer-')))

function run(command: string, args: string[]): string {
  return execFileSync(command, args, { cwd: consumer, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

beforeAll(() => {
  const tarballs = Object.fromEntries(
    manifests.map(({ folder, manifest }) => {
      const packed = JSON.parse(
        execFileSync('pnpm', ['pack', '--json', '--pack-destination', consumer], {
          cwd: folder,
          encoding: 'utf8',
        }),
      ) as { filename: string }
      return [manifest.name, `file:${packed.filename}`]
    }),
  )
  const peers = Object.assign({}, ...manifests.map(({ manifest }) => manifest.peerDependencies ?? {}))
  writeFileSync(
    join(consumer, 'package.json'),
    JSON.stringify({
      name: 'consumer',
      private: true,
      type: 'module',
      dependencies: { ...tarballs, ...peers },
      // The packages depend on one another by version; that version is not published yet.
      overrides: Object.fromEntries(Object.keys(tarballs).map((name) => [name, `$${name}`])),
    }),
  )
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'])
}, 300_000)

afterAll(() => rmSync(consumer, { recursive: true, force: true }))

describe('the packed packages, installed into an empty folder', () => {
  it('are six, and each comes with its README, its licence and nothing of its sources', () => {
    expect(manifests).toHaveLength(6)
    for (const { manifest } of manifests) {
      const installed = join(consumer, 'node_modules', manifest.name)
      expect(globSync(['README.md', 'LICENSE'], { cwd: installed }).sort()).toEqual(['LICENSE', 'README.md'])
      expect(globSync(['src/**', 'test/**'], { cwd: installed })).toEqual([])
    }
  })

  it.each(specifiers)('%s imports', (specifier) => {
    const exported = run(process.execPath, [
      '--input-type=module',
      '--eval',
      `console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(specifier)}))))`,
    ])

    expect(JSON.parse(exported)).not.toEqual([])
  })

  it('bring the producer as a command', () => {
    const { version } = manifests.find(({ manifest }) => manifest.bin?.['kinesis-produce'])!.manifest

    expect(run(join(consumer, 'node_modules/.bin/kinesis-produce'), ['--version'])).toBe(`${version}\n`)
  })

  it('constructs also answer require, for CDK apps that are CommonJS', () => {
    const exported = run(process.execPath, [
      '--input-type=commonjs',
      '--eval',
      `console.log(typeof require('@org/kinesis-constructs').EncryptedStream)`,
    ])

    expect(exported.trim()).toBe('function')
  })

  it('bring types that a strict consumer can check', () => {
    const imports = specifiers.map((specifier, index) => `import * as m${index} from '${specifier}'`)
    writeFileSync(
      join(consumer, 'index.ts'),
      [
        ...imports,
        `import { KinesisProducer } from '@org/kinesis-producer'`,
        `export const modules = [${specifiers.map((_, index) => `m${index}`).join(', ')}]`,
        `export const producer: KinesisProducer = new KinesisProducer({ streamName: 'events' })`,
        '// @ts-expect-error a name is a text: were the types missing, this would be no error',
        'new KinesisProducer({ streamName: 42 })',
      ].join('\n'),
    )
    writeFileSync(
      join(consumer, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          noEmit: true,
          module: 'nodenext',
          target: 'es2023',
          lib: ['es2023', 'esnext.disposable'],
          types: ['node'],
          typeRoots: [join(root, 'node_modules/@types')],
          // Only our own declarations are under test, not those of the packages that they import.
          skipLibCheck: true,
        },
        include: ['index.ts'],
      }),
    )
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', consumer], { encoding: 'utf8' })

    expect(stdout).toBe('')
    expect(status).toBe(0)
  })
})
