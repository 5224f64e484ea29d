/** How the findings say numbers: short, and never more precise than they are. */

export function percent(share: number): string {
  const value = share * 100
  // Nearly all is not all, and the difference is what a finding is about.
  if (value > 90 && value < 100) return `${Math.floor(value * 10) / 10}%`
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(value >= 1 ? 1 : 2)}%`
}

export function duration(ms: number): string {
  const seconds = ms / 1_000
  if (seconds < 1) return `${Math.round(ms)} ms`
  if (seconds < 120) return `${Math.round(seconds)} s`
  const minutes = seconds / 60
  if (minutes < 120) return `${Math.round(minutes)} min`
  const hours = minutes / 60
  return hours < 72 ? `${Math.round(hours * 10) / 10} h` : `${Math.round(hours / 2.4) / 10} days`
}

export function count(value: number, noun: string): string {
  return `${Math.round(value).toLocaleString('en-US')} ${noun}${value === 1 ? '' : 's'}`
}

/** ` --region R --endpoint-url E`, as far as they are known, for the end of an `aws` command. */
export function cliSuffix(region: string | undefined, endpoint: string | undefined): string {
  const option = (name: string, value: string | undefined) =>
    value === undefined ? '' : ` --${name} ${quoted(value)}`
  return option('region', region) + option('endpoint-url', endpoint)
}

function quoted(value: string): string {
  return /^[\w.:/@%+=,-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`
}
