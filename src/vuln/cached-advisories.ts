import type { Advisories } from '../core/advisory.js'

/** Some 20 MB; an image has 400 packages, and those of a thousand images share most of them. */
const maxKept = 20_000

/** The same advisories, with what was read of them kept: for many images in a row, which share most of their packages. */
export function cacheAdvisories(advisories: Advisories): Advisories {
  return {
    ...advisories,
    of: keep((ecosystem: string, name: string) => advisories.of(ecosystem, name)),
    named: keep((id: string) => advisories.named(id)),
    close: () => advisories.close(),
  }
}

function keep<Args extends readonly string[], Value>(read: (...args: Args) => Value): (...args: Args) => Value {
  const kept = new Map<string, Value>()
  return (...args) => {
    const key = args.join('\0')
    const known = kept.get(key)
    if (known !== undefined) return known
    const value = read(...args)
    // Emptied at once: which of them comes next is not known, and a list of uses would cost more than it saves.
    if (kept.size >= maxKept) kept.clear()
    kept.set(key, value)
    return value
  }
}
