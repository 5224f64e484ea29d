import { describe, expect, it } from 'vitest'
import { parseMetricExpression } from './metric-expression.js'

const series: Record<string, Map<number, number>> = {
  a: new Map([
    [1, 10],
    [2, 20],
    [3, 0],
  ]),
  b: new Map([
    [1, 4],
    [3, 0],
    [4, 8],
  ]),
}

function evaluate(text: string) {
  const value = parseMetricExpression(text).evaluate({ lookUp: (id) => series[id]!, times: [1, 2, 3, 4] })
  return typeof value === 'number' ? value : [...value]
}

describe('an expression', () => {
  it.each([
    ['1 + 2 * 3 - 4 / 2', 5],
    ['-(1 + 2) ^ 2', -9],
    ['2 ^ 3 ^ 2', 512],
    ['1.5e2', 150],
    ['IF(2 >= 3, 1, 7)', 7],
    ['100 * a / b', [[1, 250]]],
    [
      'a + b',
      [
        [1, 14],
        [3, 0],
      ],
    ],
    [
      'a > 5',
      [
        [1, 1],
        [2, 1],
        [3, 0],
      ],
    ],
    [
      'FILL(b, 1)',
      [
        [1, 4],
        [2, 1],
        [3, 0],
        [4, 8],
      ],
    ],
    [
      'FILL(a, REPEAT)',
      [
        [1, 10],
        [2, 20],
        [3, 0],
        [4, 0],
      ],
    ],
    [
      'CEIL(a / 3)',
      [
        [1, 4],
        [2, 7],
        [3, 0],
      ],
    ],
  ])('%s is computed period by period', (text, value) => {
    expect(evaluate(text)).toEqual(value)
  })

  it.each([
    ['SUM(METRICS())', /function SUM is not supported here/],
    ['ANOMALY_DETECTION_BAND(m1, 2)', /ANOMALY_DETECTION_BAND is not supported/],
    ['1 +', /ends too early/],
    ['(1', /ends too early/],
    ['1 2', /2 is not expected/],
    ['a b', /b is not expected/],
    ['Total', /Total is not understood/],
    ['FILL(a)', /FILL takes/],
    ['ABS(a, b)', /takes 1/],
    ['__proto__(1)', /__proto__ is not supported/],
    ['a __proto__ 2', /__proto__ is not expected/],
    ['a toString 2', /toString is not expected/],
    [`${'-'.repeat(2_000)}1`, /nested too deep/],
    [`${'('.repeat(1_000)}1${')'.repeat(1_000)}`, /nested too deep/],
    ['', /ends too early/],
  ])('%s is refused, with the reason', (text, reason) => {
    expect(() => parseMetricExpression(text)).toThrow(reason)
  })
})
