/**
 * Tells once what keeps a delivery from its source or its bucket, and again when it is something else, or when it had worked in between:
 * over the wire, nobody sees the last error of a delivery.
 */
export function deliveryWarnings(name: string, onWarning: (message: string) => void) {
  let told: string | undefined
  return {
    onError(error: Error): void {
      // A message may name a file that is another one each time.
      const { code = error.name } = error as { code?: string }
      if (code === told) return
      told = code
      onWarning(`The delivery stream ${name} fails, and tries again: ${error.name}: ${error.message}`)
    },
    onDurable(): void {
      told = undefined
    },
  }
}
