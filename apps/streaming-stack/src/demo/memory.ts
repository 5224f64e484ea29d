import { processTree } from './process-tree.js'

/** Resident memory of this process and everything it started, at its highest seen. */
export class MemoryWatch {
  peakBytes = 0

  sample(): void {
    const bytes = processTree(process.pid).reduce((sum, { rssBytes }) => sum + rssBytes, 0)
    this.peakBytes = Math.max(this.peakBytes, bytes)
  }
}
