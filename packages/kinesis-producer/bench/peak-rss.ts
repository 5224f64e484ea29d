/** How much more memory the process holds from now on. */
export function peakRss() {
  const before = process.memoryUsage.rss()
  return {
    growth: () => process.memoryUsage.rss() - before,
    /** Of all times so far: the system keeps the mark. */
    peakGrowth: () => process.resourceUsage().maxRSS * 1024 - before,
  }
}
