import type { Package } from '../core/package.js'
import { orderOfPurlType } from '../versions/list.js'
import { compareKeys, type VersionOrder } from '../versions/version-order.js'

/** A package whose version is another one. */
export interface ChangedPackage {
  readonly from: Package
  readonly to: Package
  /** `rebuilt`: the same version by the ecosystem's order, written otherwise. */
  readonly direction: Direction
}

/** Which way a version went; `unknown` where one of the two is no version of its ecosystem. */
export type Direction = 'up' | 'down' | 'rebuilt' | 'unknown'

/** What the packages of two images differ in, each list by type, name, architecture and version. */
export interface PackagesDiff {
  readonly added: readonly Package[]
  readonly removed: readonly Package[]
  readonly changed: readonly ChangedPackage[]
}

/**
 * Compares two lists of packages. A key (type, name, architecture) may be there several times, with several versions: equal
 * ones cancel, what is left on both sides is paired from the highest version down, the rest was added or removed. The order
 * of the lists does not matter.
 */
export function diffPackages(from: readonly Package[], to: readonly Package[]): PackagesDiff {
  const before = groupByKey(from)
  const after = groupByKey(to)
  const diff = { added: [] as Package[], removed: [] as Package[], changed: [] as ChangedPackage[] }
  for (const key of [...new Set([...before.keys(), ...after.keys()])].sort(compare)) {
    const [gone, come] = cancel(before.get(key) ?? [], after.get(key) ?? [])
    const order = orderOfPurlType((gone[0] ?? come[0])?.type ?? '')
    gone.sort(highestFirst(order))
    come.sort(highestFirst(order))
    const pairs = Math.min(gone.length, come.length)
    for (let index = 0; index < pairs; index++) {
      const [a, b] = [gone[index] as Package, come[index] as Package]
      diff.changed.push({ from: a, to: b, direction: directionOf(a.version, b.version, order) })
    }
    diff.removed.push(...gone.slice(pairs))
    diff.added.push(...come.slice(pairs))
  }
  return diff
}

function groupByKey(packages: readonly Package[]): Map<string, Package[]> {
  const groups = new Map<string, Package[]>()
  for (const pack of packages) {
    const key = JSON.stringify([pack.type, pack.name, pack.architecture])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [pack])
    else group.push(pack)
  }
  return groups
}

/** Takes away what is on both sides, one for one. */
function cancel(from: readonly Package[], to: readonly Package[]): [Package[], Package[]] {
  const left = new Map<string, number>()
  for (const { version } of to) left.set(version, (left.get(version) ?? 0) + 1)
  const gone = from.filter(({ version }) => !take(left, version))
  const come: Package[] = []
  // What is left of a version on the other side, last ones first.
  for (const pack of to) if (take(left, pack.version)) come.push(pack)
  return [gone, come]
}

function take(counts: Map<string, number>, version: string): boolean {
  const count = counts.get(version) ?? 0
  if (count === 0) return false
  counts.set(version, count - 1)
  return true
}

/** What is no version comes last, by its text: the pairs are then the same whatever the order of the lists. */
function highestFirst(order: VersionOrder | null): (a: Package, b: Package) => number {
  return (a, b) => {
    const [keyA, keyB] = [order?.key(a.version) ?? null, order?.key(b.version) ?? null]
    if (keyA !== null && keyB !== null && keyA !== keyB) return compareKeys(keyB, keyA)
    if ((keyA === null) !== (keyB === null)) return keyA === null ? 1 : -1
    return compare(b.version, a.version) || compare(a.evidence, b.evidence)
  }
}

function directionOf(from: string, to: string, order: VersionOrder | null): Direction {
  const [keyFrom, keyTo] = [order?.key(from) ?? null, order?.key(to) ?? null]
  if (keyFrom === null || keyTo === null) return 'unknown'
  const sign = compareKeys(keyFrom, keyTo)
  return sign === 0 ? 'rebuilt' : sign < 0 ? 'up' : 'down'
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
