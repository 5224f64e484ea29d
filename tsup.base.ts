import { defineConfig, type Options } from 'tsup'

/**
 * The one place that knows how packages are built, so that another bundler is a change of one file.
 * A package names its entry points; everything else is the same for all of them.
 */
export function library(options: { entry: Record<string, string> } & Omit<Options, 'entry'>) {
  return defineConfig({
    format: ['esm'],
    target: 'node22',
    platform: 'node',
    dts: true,
    sourcemap: true,
    clean: true,
    splitting: true,
    treeshake: true,
    ...options,
  })
}
