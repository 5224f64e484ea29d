import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** The class path of what `project`/pom.xml names, brought by Maven. */
export function jarsOf(project, folder) {
  const jars = join(folder, project)
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`]
  execFileSync('mvn', ['-B', '-q', '-f', here(`${project}/pom.xml`), ...goal], { stdio: 'inherit' })
  return join(jars, '*')
}

/** A program that answers each line with a line. */
export function runJava(classPath, program, ...args) {
  const stdio = ['pipe', 'pipe', 'inherit']
  const java = spawn('java', ['-cp', classPath, here(program), ...args.map(String)], { stdio })
  const lines = createInterface(java.stdout)[Symbol.asyncIterator]()
  return {
    async ask(line) {
      java.stdin.write(`${line}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`${program} ended early`)
      return value
    },
    end: () => java.stdin.end(),
  }
}
