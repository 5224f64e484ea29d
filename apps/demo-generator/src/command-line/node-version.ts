import { readFileSync } from 'node:fs'

/** Says which Node is needed where this one is older than `engines` of the package says; undefined where it will do. */
export function nodeVersionComplaint(
  current = process.versions.node,
  packageFile = new URL('../package.json', import.meta.url),
): string | undefined {
  const { engines } = JSON.parse(readFileSync(packageFile, 'utf8')) as { engines: { node: string } }
  const needed = Number(/\d+/.exec(engines.node)?.[0])
  if (Number(current.split('.')[0]) >= needed) return undefined
  return `This is Node ${current}; ${needed} or newer is needed. The project's own runs it from the root of the clone: pnpm exec node apps/demo-generator/dist/cli.js`
}
