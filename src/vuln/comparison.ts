import { rpm } from '../versions/rpm.js'
import type { VersionOrder } from '../versions/version-order.js'

/** How one installed version is held against the versions that advisories name. */
export interface Comparison {
  readonly installed: string
  /** The sort key of a version of an advisory; null where it is none of its ecosystem. */
  keyOf(version: string): string | null
  /** The sort key of the installed version, to be held against that of `version`; null where it is none. */
  installedKeyFor(version: string): string | null
}

/**
 * By an ecosystem's order, as it stands.
 * @param order null: nobody knows how its versions are ordered, so no two can be compared
 */
export function plainComparison(order: VersionOrder | null, installed: string): Comparison {
  // Made when it is asked for: nothing is known of most packages.
  let installedKey: string | null | undefined
  const installedKeyFor = () => {
    if (installedKey === undefined) installedKey = order?.key(installed) ?? null
    return installedKey
  }
  return { installed, keyOf: (version) => order?.key(version) ?? null, installedKeyFor }
}

/**
 * By rpm's order. Where an advisory names a version without a release, it means every release of it (rpm-version(7) orders
 * an absent one first, so that 1-1 would still be above 1).
 * @param ignoresEpoch for a version that was read from the name of a source rpm, which never holds the epoch
 */
export function rpmComparison(installed: string, ignoresEpoch: boolean): Comparison {
  const plain = (version: string) => (ignoresEpoch ? version.replace(/^\d+:/, '') : version)
  const whole = plainComparison(rpm, plain(installed))
  const withoutRelease = plainComparison(rpm, plain(installed).replace(/-[^-]*$/, ''))
  return {
    installed,
    keyOf: (version) => rpm.key(plain(version)),
    installedKeyFor: (version) => (version.includes('-') ? whole : withoutRelease).installedKeyFor(version),
  }
}

/** Go's v1.0.0-20060102150405-abcdefabcdef: a commit before the first tag of its major version (go.dev/ref/mod). */
const untagged = /^v\d+\.0\.0-\d{14}-[0-9a-f]{12}/

/**
 * By Go's order, for what may be the main module of a program. Such a module has its version from the folder that it was built
 * in, where tags may be missing: `v3.0.0-20250101…` sorts before `3.0.4` and may still be after it. So it can be held against
 * other commits by their date, but against no release. `(devel)` can be held against nothing.
 */
export function mainModuleComparison(order: VersionOrder | null, installed: string): Comparison {
  const plain = plainComparison(order, installed)
  const isUncertain = untagged.test(installed) || installed.includes('+dirty')
  return isUncertain
    ? { ...plain, installedKeyFor: (version) => (isCommit(version) ? plain.installedKeyFor(version) : null) }
    : plain
}

function isCommit(version: string): boolean {
  return /^v?\d+\.\d+\.\d+-(?:.*[.-])?\d{14}-[0-9a-f]{12}/.test(version)
}
