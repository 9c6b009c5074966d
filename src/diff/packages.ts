import { comparePackages } from '../core/compare-packages.js'
import type { PackageChange, PackagesDiff, VersionDirection } from '../core/image-diff.js'
import type { Package } from '../core/package.js'
import { canonicalName } from '../core/purl.js'
import { orderOfPurlType } from '../versions/list.js'
import { compareKeys, type VersionOrder } from '../versions/version-order.js'

/**
 * What two package lists differ in, whatever order they come in.
 *
 * Packages are told apart by type, name and, where they have one, architecture. The versions of one key are a multiset: equal
 * ones cancel, one by one. What is left is sorted by version, and the lowest of one side is paired with the lowest of the
 * other: a changed package. What has no partner was added or removed. A package that one of the distribution's brought along
 * is left out: what happens to it is told by its owner.
 *
 * Where the ecosystem's order is unknown, or one of two versions is none of it, they are paired by their texts, and the
 * direction is unknown.
 */
export function diffPackages(from: readonly Package[], to: readonly Package[]): PackagesDiff {
  const before = byKey(from)
  const after = byKey(to)
  const added: Package[] = []
  const removed: Package[] = []
  const changed: PackageChange[] = []
  for (const [key, old] of before) {
    const now = after.get(key) ?? []
    const order = orderOfPurlType((old[0] as Package).type)
    const [left, right] = cancel(old, now)
    sortByVersion(left, order)
    sortByVersion(right, order)
    const pairs = Math.min(left.length, right.length)
    for (let index = 0; index < pairs; index++) {
      const pair = { from: left[index] as Package, to: right[index] as Package }
      changed.push({ ...pair, direction: directionOf(pair.from, pair.to, order) })
    }
    for (const one of left.slice(pairs)) removed.push(one)
    for (const one of right.slice(pairs)) added.push(one)
  }
  for (const [key, now] of after) {
    if (!before.has(key)) for (const one of now) added.push(one)
  }
  return {
    added: added.sort(comparePackages),
    removed: removed.sort(comparePackages),
    changed: changed.sort((a, b) => comparePackages(a.from, b.from) || comparePackages(a.to, b.to)),
  }
}

function byKey(packages: readonly Package[]): Map<string, Package[]> {
  const groups = new Map<string, Package[]>()
  for (const one of packages) {
    if (one.ownedBy !== null) continue
    const key = `${one.type}\0${canonicalName(one.type, one.name)}\0${one.architecture ?? ''}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return groups
}

/** What is left of both sides when equal versions have cancelled each other out. */
function cancel(from: Package[], to: Package[]): [from: Package[], to: Package[]] {
  const surplus = new Map<string, number>()
  for (const { version } of from) surplus.set(version, (surplus.get(version) ?? 0) + 1)
  for (const { version } of to) surplus.set(version, (surplus.get(version) ?? 0) - 1)
  const takeFrom = (packages: Package[], sign: 1 | -1) => {
    const left = new Map(surplus)
    return packages.sort(comparePackages).filter(({ version }) => {
      const count = (left.get(version) ?? 0) * sign
      if (count <= 0) return false
      left.set(version, (count - 1) * sign)
      return true
    })
  }
  return [takeFrom(from, 1), takeFrom(to, -1)]
}

function sortByVersion(packages: Package[], order: VersionOrder | null): void {
  if (packages.length < 2) return
  const keys = new Map(packages.map(({ version }) => [version, order?.key(version) ?? null]))
  packages.sort((a, b) => {
    const keyOfA = keys.get(a.version) ?? null
    const keyOfB = keys.get(b.version) ?? null
    // What is no version of the ecosystem comes last, so that the order is one order for all of them.
    if (keyOfA === null || keyOfB === null) {
      return Number(keyOfA === null) - Number(keyOfB === null) || compareKeys(a.version, b.version)
    }
    return compareKeys(keyOfA, keyOfB) || compareKeys(a.version, b.version) || comparePackages(a, b)
  })
}

function directionOf(from: Package, to: Package, order: VersionOrder | null): VersionDirection {
  const keyOfFrom = order?.key(from.version) ?? null
  const keyOfTo = order?.key(to.version) ?? null
  if (keyOfFrom === null || keyOfTo === null) return 'unknown'
  const comparison = compareKeys(keyOfFrom, keyOfTo)
  if (comparison === 0 || isBinaryRebuild(from, to)) return 'rebuilt'
  return comparison < 0 ? 'up' : 'down'
}

/**
 * Whether Debian built the same sources again, a "binNMU": `5.2.15-2+b2` and `5.2.15-2+b13` are both made of bash 5.2.15-2
 * (deb-version(7), Debian Developer's Reference 5.10.2.1). Nothing is newer but what they were linked with. No other
 * distribution's database tells this apart: a higher `-r3` of apk, or release of an rpm, has other sources, often a fix.
 */
function isBinaryRebuild(from: Package, to: Package): boolean {
  if (from.type !== 'deb' || from.version === to.version) return false
  const [before, after] = [from.source ?? from, to.source ?? to]
  return before.name === after.name && before.version === after.version
}
