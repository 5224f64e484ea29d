import { createLogUpdate } from 'log-update'
import { type ProgressSnapshot, progressBlock, progressLine } from './progress-view.js'

export interface ProgressReporter {
  show(snapshot: ProgressSnapshot): void
  /** A line that stays, above the progress. */
  note(line: string): void
  finish(): void
}

const LINE_INTERVAL_MS = 2_000

/** In place on a terminal, a plain line every other second elsewhere. */
export function progressReporter(output: NodeJS.WriteStream): ProgressReporter {
  return output.isTTY ? terminalReporter(output) : lineReporter(output)
}

function terminalReporter(output: NodeJS.WriteStream): ProgressReporter {
  const update = createLogUpdate(output)
  return {
    show: (snapshot) => update(progressBlock(snapshot, output.columns ?? 80)),
    note: (line) => {
      update.clear()
      output.write(`${line}\n`)
    },
    finish: () => update.clear(),
  }
}

function lineReporter(output: NodeJS.WriteStream): ProgressReporter {
  let shownAtMs = Number.NEGATIVE_INFINITY
  return {
    show: (snapshot) => {
      if (snapshot.elapsedMs - shownAtMs < LINE_INTERVAL_MS) return
      shownAtMs = snapshot.elapsedMs
      output.write(`${progressLine(snapshot)}\n`)
    },
    note: (line) => void output.write(`${line}\n`),
    finish: () => {},
  }
}
