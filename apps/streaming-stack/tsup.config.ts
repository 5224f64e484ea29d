import { defineConfig } from 'tsup'

const shared = { format: 'esm', target: 'node24', platform: 'node', sourcemap: true, dts: false } as const

const handlers = ['stream-processor', 'data-transform', 'windows']

export default defineConfig([
  {
    ...shared,
    entry: { 'demo/cli': 'src/demo/cli.ts', 'cdk/app': 'src/cdk/app.ts' },
    outDir: 'dist',
    splitting: true,
  },
  // One self-contained file a handler, in a folder of its own: the demo runs these files, and the CDK app ships these folders.
  ...handlers.map((name) => ({
    ...shared,
    entry: { index: `src/handlers/${name}.ts` },
    outDir: `dist/handlers/${name}`,
    outExtension: () => ({ js: '.mjs' }),
    splitting: false,
    minify: true,
    noExternal: [/.*/],
    // Some dependencies of the AWS SDK are CommonJS and require Node's own modules.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  })),
])
