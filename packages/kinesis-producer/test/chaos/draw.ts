import { type Random, seededRandom } from '@org/kinesis-core'

/** Draws from one seeded sequence, by the words that scenarios are written in. */
export interface Draw {
  chance(share: number): boolean
  /** A whole number, both ends included, all equally likely. */
  between(least: number, most: number): number
  /** A whole number, both ends included; each order of magnitude is equally likely. */
  magnitude(least: number, most: number): number
  pick<const T>(choices: readonly T[]): T
  readonly random: Random
}

/** Each purpose has a sequence of its own: a draw more in one changes nothing in another. */
export function drawFrom(seed: number, purpose: string): Draw {
  let hash = 0x811c9dc5
  for (const character of `${seed}/${purpose}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  const random = seededRandom(hash ^ (hash >>> 15))
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
  return {
    random,
    chance: (share) => random() < share,
    between,
    magnitude(least, most) {
      const low = Math.log(least)
      return Math.min(most, Math.floor(Math.exp(low + random() * (Math.log(most + 1) - low))))
    },
    pick: (choices) => choices[between(0, choices.length - 1)]!,
  }
}
