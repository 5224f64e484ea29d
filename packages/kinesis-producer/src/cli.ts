#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { runCommandLine } from './command-line/command-line.js'

const packageFile = new URL('../package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }
process.exitCode = await runCommandLine(process.argv.slice(2), version)
