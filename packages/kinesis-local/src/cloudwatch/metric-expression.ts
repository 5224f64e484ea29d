/** Values by the time of their period, or one number for all of them. */
export type MathValue = number | ReadonlyMap<number, number>

interface MathContext {
  lookUp(id: string): MathValue
  /** Beginnings of all periods asked for, for FILL. */
  times: readonly number[]
}

/** Reads an expression of metric math; `references` are the ids that it names. */
export interface MetricExpression {
  references: readonly string[]
  evaluate(context: MathContext): MathValue
}

type Node = (context: MathContext) => MathValue

const FUNCTIONS: Readonly<Record<string, (args: Node[]) => Node>> = {
  ABS: (args) => elementwise(args, 1, Math.abs),
  CEIL: (args) => elementwise(args, 1, Math.ceil),
  FLOOR: (args) => elementwise(args, 1, Math.floor),
  FILL: fill,
  IF: (args) => elementwise(args, 3, (condition, then, otherwise) => (condition === 0 ? otherwise! : then!)),
}
const KNOWN = `+ - * / ^, comparisons, parentheses, ${Object.keys(FUNCTIONS).join(', ')}`
const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
}
const MAX_LENGTH = 2_048
/** Of parentheses, calls and signs in one another; recursion ends here. */
const MAX_DEPTH = 64

/**
 * The part of "Using math expressions with CloudWatch metrics" that works on one series at a time. A period that one of the series
 * has no value for has none in the result, and neither has one that would be divided by zero.
 *
 * @throws Error that says what is not understood
 */
export function parseMetricExpression(text: string): MetricExpression {
  if (text.length > MAX_LENGTH) throw new Error(`an expression has at most ${MAX_LENGTH} characters`)
  const tokens = text.match(/\d+(\.\d+)?([eE][+-]?\d+)?|[A-Za-z_]\w*|[<>=!]=|\S/g) ?? []
  const parser = new Parser(tokens)
  const evaluate = parser.parse()
  return { references: [...parser.references], evaluate }
}

class Parser {
  readonly references = new Set<string>()
  #at = 0
  #depth = 0

  constructor(private readonly tokens: readonly string[]) {}

  parse(): Node {
    const node = this.#comparison()
    if (this.#at < this.tokens.length) throw this.#unexpected()
    return node
  }

  #comparison(): Node {
    let left = this.#sum()
    for (;;) {
      const token = this.tokens[this.#at] ?? ''
      // Tokens come from outside: `__proto__` is one of them.
      const compare = Object.hasOwn(COMPARISONS, token) ? COMPARISONS[token] : undefined
      if (compare === undefined) return left
      this.#at += 1
      left = elementwise([left, this.#sum()], 2, (a, b) => Number(compare(a!, b!)))
    }
  }

  #sum(): Node {
    let left = this.#product()
    for (;;) {
      if (this.#skip('+')) left = elementwise([left, this.#product()], 2, (a, b) => a! + b!)
      else if (this.#skip('-')) left = elementwise([left, this.#product()], 2, (a, b) => a! - b!)
      else return left
    }
  }

  #product(): Node {
    let left = this.#negated()
    for (;;) {
      if (this.#skip('*')) left = elementwise([left, this.#negated()], 2, (a, b) => a! * b!)
      else if (this.#skip('/')) left = elementwise([left, this.#negated()], 2, (a, b) => a! / b!)
      else return left
    }
  }

  #negated(): Node {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw new Error('the expression is nested too deep')
    try {
      return this.#signed()
    } finally {
      this.#depth -= 1
    }
  }

  #signed(): Node {
    if (this.#skip('-')) return elementwise([this.#negated()], 1, (a) => -a!)
    const base = this.#operand()
    return this.#skip('^') ? elementwise([base, this.#negated()], 2, (a, b) => a! ** b!) : base
  }

  #operand(): Node {
    const token = this.tokens[this.#at]
    if (token === '(') {
      this.#at += 1
      const inner = this.#comparison()
      if (!this.#skip(')')) throw this.#unexpected()
      return inner
    }
    if (token === undefined || !/^\w/.test(token)) throw this.#unexpected()
    this.#at += 1
    if (/^\d/.test(token)) return () => Number(token)
    if (this.tokens[this.#at] === '(') return this.#call(token)
    // The word that FILL takes for its second argument.
    if (token === 'REPEAT') return () => Number.NaN
    if (!/^[a-z]/.test(token)) throw new Error(`${token} is not understood here: use ${KNOWN}`)
    this.references.add(token)
    return (context) => context.lookUp(token)
  }

  #call(name: string): Node {
    const make = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
    if (make === undefined) throw new Error(`the function ${name} is not supported here: use ${KNOWN}`)
    this.#at += 1
    const args = [this.#comparison()]
    while (this.#skip(',')) args.push(this.#comparison())
    if (!this.#skip(')')) throw this.#unexpected()
    return make(args)
  }

  #skip(token: string): boolean {
    if (this.tokens[this.#at] !== token) return false
    this.#at += 1
    return true
  }

  #unexpected(): Error {
    const token = this.tokens[this.#at]
    return new Error(token === undefined ? 'the expression ends too early' : `${token} is not expected there`)
  }
}

function elementwise(args: Node[], count: number, apply: (...values: number[]) => number): Node {
  if (args.length !== count) throw new Error(`a function has ${args.length} arguments, and takes ${count}`)
  return (context) => {
    const values = args.map((arg) => arg(context))
    const series = values.filter((value) => typeof value !== 'number')
    if (series.length === 0) return apply(...(values as number[]))
    const result = new Map<number, number>()
    for (const time of series[0]!.keys()) {
      const at = values.map((value) => (typeof value === 'number' ? value : value.get(time)))
      if (at.includes(undefined)) continue
      const value = apply(...(at as number[]))
      if (Number.isFinite(value)) result.set(time, value)
    }
    return result
  }
}

/** `FILL(m1, 0)`, or `FILL(m1, REPEAT)`: the value before. */
function fill(args: Node[]): Node {
  const [series, filler] = args
  if (args.length !== 2) throw new Error('FILL takes a metric, and a number or REPEAT')
  return (context) => {
    const known = series!(context)
    const value = filler!(context)
    if (typeof known === 'number') return known
    const filled = new Map<number, number>()
    let last: number | undefined
    for (const time of context.times) {
      const own = known.get(time)
      const given = typeof value === 'number' ? value : value.get(time)
      const chosen = own ?? (Number.isNaN(given) ? last : given)
      if (chosen !== undefined) filled.set(time, chosen)
      last = chosen
    }
    return filled
  }
}
