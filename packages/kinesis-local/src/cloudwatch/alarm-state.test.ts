import { describe, expect, it } from 'vitest'
import { type AlarmState, evaluateAlarm, type MissingData } from './alarm-state.js'

/** Datapoints as the documentation writes them: oldest first, `0` is fine, `X` breaches, `-` is missing. */
function stateOf(
  pattern: string,
  missingData: MissingData,
  datapointsToAlarm: number,
  current: AlarmState = 'INSUFFICIENT_DATA',
): AlarmState {
  const range = pattern
    .split(' ')
    .map((mark, index) => (mark === '-' ? undefined : { atMs: index, value: mark === 'X' ? 1 : 0 }))
    .reverse()
  return evaluateAlarm(
    range,
    { evaluationPeriods: 3, datapointsToAlarm, missingData, breaches: (value) => value > 0 },
    current,
  ).state
}

const treatments = ['missing', 'ignore', 'breaching', 'notBreaching'] as const

describe('the state of an alarm with missing data', () => {
  it.each([
    ['0 - X - X', ['OK', 'OK', 'OK', 'OK']],
    ['0 - - - -', ['OK', 'OK', 'OK', 'OK']],
    ['- - - - -', ['INSUFFICIENT_DATA', 'retained', 'ALARM', 'OK']],
    ['0 X X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['- - X - -', ['ALARM', 'retained', 'ALARM', 'OK']],
  ])('is as documented for 3 of 3 datapoints with %s', (pattern, states) => {
    expect(treatments.map((treatment) => stateOf(pattern, treatment, 3, 'retained' as AlarmState))).toEqual(
      states,
    )
  })

  it.each([
    ['- - - - X', 'OK'],
    ['- - - X -', 'OK'],
    ['- - - X X', 'OK'],
    ['- - X - -', 'ALARM'],
    ['- - X X -', 'ALARM'],
    ['- X - - X', 'ALARM'],
    ['- - X - 0', 'OK'],
  ])('is no alarm for 3 of 3 datapoints before the oldest is old enough: %s', (pattern, state) => {
    expect(stateOf(pattern, 'missing', 3)).toBe(state)
  })

  it('is no alarm at the first breaching datapoint of two', () => {
    expect(stateOf('- - - - X', 'missing', 2)).toBe('OK')
  })

  it.each([
    ['0 - X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['0 0 X 0 X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['0 - X - -', ['OK', 'OK', 'ALARM', 'OK']],
    ['- - - - 0', ['OK', 'OK', 'ALARM', 'OK']],
    ['- - - X -', ['ALARM', 'retained', 'ALARM', 'OK']],
  ])('is as documented for 2 of 3 datapoints with %s', (pattern, states) => {
    expect(treatments.map((treatment) => stateOf(pattern, treatment, 2, 'retained' as AlarmState))).toEqual(
      states,
    )
  })

  it('takes no older datapoint into account where none is missing', () => {
    expect(stateOf('X X 0 0 0', 'missing', 1)).toBe('OK')
  })
})
