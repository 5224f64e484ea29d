/** What the parent and the child of a local function say to each other. Types alone: the runner must stand without imports. */

export interface InvokeMessage {
  type: 'invoke'
  requestId: string
  /** The event as JSON: what a handler gets has been through JSON, as in Lambda. */
  event: string
  timeoutMs: number
}

export interface ChildError {
  errorType: string
  errorMessage: string
  trace: string[]
}

export type ChildMessage =
  | { type: 'ready' }
  | { type: 'init-error'; error: ChildError }
  | { type: 'settled'; requestId: string; ok: true; payload: string }
  | { type: 'settled'; requestId: string; ok: false; error: ChildError }
  /** Where the parent cannot look the child's memory up itself: now and then, and before each of the others. */
  | { type: 'memory'; rssBytes: number }
