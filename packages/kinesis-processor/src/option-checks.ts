import { type Clock, InvalidOptionError, type Random } from '@org/kinesis-core'

export function requireFunction(option: string, value: unknown, remedy: string): void {
  if (typeof value !== 'function') throw new InvalidOptionError(option, value, remedy)
}

export function requireText(option: string, value: unknown, remedy: string): void {
  if (typeof value !== 'string' || value === '') throw new InvalidOptionError(option, value, remedy)
}

export function whole(option: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  const range = most === Number.MAX_SAFE_INTEGER ? `, ${least} or more` : ` from ${least} to ${most}`
  throw new InvalidOptionError(option, value, `Give a whole number${range}.`)
}

export function requireClock(clock: Clock): void {
  const isClock = typeof clock?.now === 'function' && typeof clock.schedule === 'function'
  if (!isClock) {
    throw new InvalidOptionError('clock', clock, 'Pass an object with now() and schedule(), or leave it out.')
  }
}

export function requireTime({ clock, random }: { clock: Clock; random: Random }): void {
  requireClock(clock)
  requireFunction('random', random, 'Pass a function that gives numbers from 0 to 1, or leave it out.')
}
