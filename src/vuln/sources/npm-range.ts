import type { AffectedRange, RangeEvent } from '../../core/advisory.js'

/**
 * What a range of npm (https://github.com/npm/node-semver, "Ranges") means as ranges of OSV: one for each of the
 * alternatives. Null where it is none. OSV has no "greater than": there the range begins with the least version above.
 */
export function parseNpmRange(text: string): AffectedRange[] | null {
  const ranges: AffectedRange[] = []
  for (const alternative of text.split('||')) {
    const range = parseAlternative(alternative.trim())
    if (range === null) return null
    ranges.push(range)
  }
  return ranges
}

/** The bounds that an alternative sets; '0' is before every version. */
interface Bounds {
  from: string
  end: RangeEvent | null
}

function parseAlternative(text: string): AffectedRange | null {
  const bounds: Bounds = { from: '0', end: null }
  const hyphen = /^(\S+)\s+-\s+(\S+)$/.exec(text)
  const comparators = (hyphen === null ? text : `>=${hyphen[1]} <=${hyphen[2]}`)
    .replace(/([<>=~^])\s+/g, '$1')
    .split(/\s+/)
    .filter((word) => word !== '')
  for (const comparator of comparators) if (!narrow(bounds, comparator)) return null
  const events: RangeEvent[] = [{ kind: 'introduced', version: bounds.from }]
  return { type: 'SEMVER', events: bounds.end === null ? events : [...events, bounds.end] }
}

/** Each comparator sets one end; where two set the same, as nobody writes, the later stays. */
function narrow(bounds: Bounds, comparator: string): boolean {
  const [, operator = '', version = ''] = /^(<=|>=|<|>|=|~>?|\^)?(.*)$/.exec(comparator) ?? []
  const parsed = parsePartial(version)
  if (parsed === null) return false
  const { numbers, full, next } = parsed
  if (operator === '<') bounds.end = { kind: 'fixed', version: full }
  else if (operator === '>=') bounds.from = full
  else if (operator === '<=') bounds.end = next === null ? lastAffected(full) : fixed(next)
  else if (operator === '>') bounds.from = next ?? successor(full)
  else {
    if (numbers.length > 0) bounds.from = full
    if (operator === '^') bounds.end = fixed(caretEnd(numbers))
    else if (operator.startsWith('~')) bounds.end = fixed(bump(numbers, Math.min(numbers.length, 2) - 1))
    else bounds.end = numbers.length === 0 ? null : next === null ? lastAffected(full) : fixed(next)
  }
  return true
}

interface Partial {
  /** As many of major, minor and patch as are given. */
  readonly numbers: readonly number[]
  readonly full: string
  /** The first version after all that a partial one (`1.2`, `1.x`) stands for; null for a whole version. */
  readonly next: string | null
}

function parsePartial(text: string): Partial | null {
  if (/^[x*]?$/i.test(text)) return { numbers: [], full: '0.0.0', next: null }
  const match = /^[v=]*(\d{1,15})(?:\.(\d{1,15}|[x*]))?(?:\.(\d{1,15}|[x*]))?(-[0-9A-Za-z.-]+)?(?:\+\S*)?$/i.exec(text)
  if (match === null) return null
  const numbers: number[] = []
  for (const part of match.slice(1, 4)) {
    if (part === undefined || !/^\d/.test(part)) break
    numbers.push(Number(part))
  }
  const full = `${[...numbers, 0, 0].slice(0, 3).join('.')}${match[4] ?? ''}`
  return { numbers, full, next: numbers.length === 3 ? null : bump(numbers, numbers.length - 1) }
}

function fixed(version: string): RangeEvent {
  return { kind: 'fixed', version }
}

function lastAffected(version: string): RangeEvent {
  return { kind: 'last-affected', version }
}

/** The least version in which the number at `place` is one higher: before it stand its own prereleases, which are meant too. */
function bump(numbers: readonly number[], place: number): string {
  const at = Math.max(0, place)
  const bumped = numbers.slice(0, at + 1)
  bumped[at] = (bumped[at] ?? 0) + 1
  return [...bumped, 0, 0].slice(0, 3).join('.')
}

/** `^` keeps the first number that is not zero. */
function caretEnd(numbers: readonly number[]): string {
  const place = numbers.findIndex((number) => number !== 0)
  return bump(numbers, place < 0 ? numbers.length - 1 : place)
}

/** The least version above: Semantic Versioning 2.0.0, item 11. */
function successor(version: string): string {
  if (version.includes('-')) return `${version}.0`
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return `${major}.${minor}.${patch + 1}-0`
}
