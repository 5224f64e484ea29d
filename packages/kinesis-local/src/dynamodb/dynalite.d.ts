declare module 'dynalite' {
  import type { Server } from 'node:http'

  /** Times are how long tables stay in their transitional states. */
  export default function dynalite(options: {
    createTableMs?: number
    deleteTableMs?: number
    updateTableMs?: number
  }): Server
}
