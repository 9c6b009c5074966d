import type { Advisories, ProductRelease, SnapshotSource } from '../core/advisory.js'
import { oneLine } from '../core/fault.js'
import type { Inventory } from '../core/inventory.js'
import type { Distribution } from '../core/package.js'
import type { InventoryPlan, PackagePlan } from './candidates.js'
import { isDistributionType } from './ecosystems.js'
import { dayOf } from './sentence.js'
import { distributionsThatEnd } from './sources/endoflife.js'

/** Older data misses what became known since: vulnerabilities are published every day. */
const freshMs = 7 * 24 * 60 * 60 * 1000

/**
 * What an answer without findings would hide: packages that nothing is known of, a release that nobody looks after any more,
 * old data, sources that could not be renewed.
 * @param now milliseconds since the epoch
 */
export function coverageOf(
  inventory: Inventory,
  plan: InventoryPlan,
  advisories: Advisories,
  now: number,
): { readonly complete: boolean; readonly warnings: readonly string[] } {
  const gaps = [...emptiness(plan), ...distributionGaps(inventory, plan), ...languageGaps(plan)]
  const { distribution } = inventory
  const hasOwn = plan.packages.some((one) => isDistributionType(one.package.type))
  const notes = plan.distribution?.note === null || !hasOwn ? [] : [plan.distribution?.note ?? '']
  const support = distribution === null ? [] : supportWarnings(distribution, advisories, now)
  return {
    complete: inventory.complete && gaps.length === 0,
    warnings: [...gaps, ...support, ...notes, ...dataWarnings(inventory, plan, advisories, now)]
      .filter((text) => text !== '')
      .map(oneLine),
  }
}

/** An image of which nothing was found may hold anything: a program that nobody installed names no packages. */
function emptiness({ packages }: InventoryPlan): string[] {
  const isEmpty = packages.every(({ package: one }) => one.isVirtual === true)
  return isEmpty ? ['no packages were found, so nothing was judged'] : []
}

function distributionGaps({ distribution }: Inventory, plan: InventoryPlan): string[] {
  const unjudged = plan.packages.filter(
    ({ package: one, skip }) => isDistributionType(one.type) && (skip === 'no-ecosystem' || skip === 'no-data'),
  )
  const [first] = unjudged
  if (first === undefined) return []
  const count = `${unjudged.length} ${unjudged.length === 1 ? 'package is' : 'packages are'} not judged`
  if (distribution === null) return [`which distribution this is is unknown: ${count}`]
  const { name, idLike } = distribution
  if (first.skip === 'no-data') return [`no advisory data for ${name} (${first.wanted}): ${count}`]
  const like = idLike.length === 0 ? '' : `; it is like ${idLike.join(', ')}, whose advisories are about other packages`
  return [`no advisories are known of ${name} for ${first.wanted} packages: ${count}${like}`]
}

function languageGaps(plan: InventoryPlan): string[] {
  return [...groupByWanted(plan)].map(([wanted, plans]) => {
    const names = plans.slice(0, 3).map(({ package: one }) => one.name)
    const more = plans.length > names.length ? ', …' : ''
    const count = `${plans.length} ${plans.length === 1 ? 'package is' : 'packages are'} not judged`
    return `no advisory data for ${wanted}: ${count} (${names.join(', ')}${more})`
  })
}

function groupByWanted({ packages }: InventoryPlan): Map<string, PackagePlan[]> {
  const groups = new Map<string, PackagePlan[]>()
  for (const plan of packages) {
    if (isDistributionType(plan.package.type) || (plan.skip !== 'no-ecosystem' && plan.skip !== 'no-data')) continue
    const group = groups.get(plan.wanted)
    if (group === undefined) groups.set(plan.wanted, [plan])
    else group.push(plan)
  }
  return groups
}

function supportWarnings(distribution: Distribution, advisories: Pick<Advisories, 'releases'>, now: number): string[] {
  const releases = advisories.releases(distribution.id)
  if (releases.length === 0 && distributionsThatEnd.has(distribution.id)) {
    return [`no end-of-life data: whether ${distribution.name} is still looked after is unknown`]
  }
  const release = releaseOf(distribution, releases)
  const today = dayOf(now)
  if (release === null || release.endsOn === null || release.endsOn >= today) return []
  const { endsOn, extendedEndsOn } = release
  const extended =
    extendedEndsOn === null || extendedEndsOn < today
      ? ''
      : ` (extended support, by others or for money, until ${extendedEndsOn})`
  return [`security support of ${distribution.name} ended on ${endsOn}${extended}: what is missing here is not safe`]
}

/** `Debian` of `Debian:12`. */
function baseOf(ecosystem: string): string {
  return ecosystem.replace(/:.*$/s, '')
}

function namesOf(parts: Advisories['sources']): string {
  const names = parts.slice(0, 3).map(({ name, part }) => (part === null ? name : `${name} ${part}`))
  return parts.length > names.length ? `${names.join(', ')}, …` : names.join(', ')
}

/** The longest one that the version begins with: `3.20` of `3.20.3`. */
function releaseOf({ versionId, codename }: Distribution, releases: readonly ProductRelease[]): ProductRelease | null {
  const version = versionId ?? codename ?? ''
  const fitting = releases.filter(({ release }) => version === release || version.startsWith(`${release}.`))
  return fitting.toSorted((a, b) => b.release.length - a.release.length)[0] ?? null
}

/** By when its parts were fetched: a snapshot is built anew when any one of them is. */
function dataWarnings(
  { distribution }: Inventory,
  plan: InventoryPlan,
  { identity, sources }: Advisories,
  now: number,
): string[] {
  const judging = new Set(plan.packages.flatMap(({ keys }) => keys.map(({ ecosystem }) => ecosystem)))
  const used = sources.filter((source) => isUsed(source, judging, distribution))
  const failed = used.filter(({ failure }) => failure !== null)
  const old = used.filter(({ name, records, fetchedAt }) => {
    return records > 0 && name !== 'endoflife' && now - fetchedAt > freshMs
  })
  const oldest = Math.min(identity.builtAt, ...old.map(({ fetchedAt }) => fetchedAt))
  const which = old.length === 0 ? '' : ` (${namesOf(old)})`
  return [
    ...(now - oldest > freshMs
      ? [`the advisory data is of ${dayOf(oldest)}, ${Math.floor((now - oldest) / 86_400_000)} days old${which}`]
      : []),
    ...failed.map(({ name, part, failure, fetchedAt }) => {
      const what = part === null ? name : `${name} ${part}`
      const state = fetchedAt === 0 ? 'was never fetched' : `could not be renewed and is of ${dayOf(fetchedAt)}`
      return `${what} ${state}: ${failure}`
    }),
  ]
}

/** What a source is about, where all of it is about one distribution. */
const bases: Readonly<Record<string, string>> = {
  ...{ 'alpine-secdb': 'Alpine', 'debian-tracker': 'Debian', wolfi: 'Wolfi', chainguard: 'Chainguard' },
}

/** Whether an image was judged by a part, or would have been. @param judging the ecosystems of its packages */
function isUsed(
  { name, part }: Pick<SnapshotSource, 'name' | 'part'>,
  judging: ReadonlySet<string>,
  distribution: Distribution | null,
): boolean {
  if (name === 'endoflife') return part === null || part === distribution?.id
  const base = name === 'osv' ? part : bases[name]
  if (base === undefined || base === null) return true
  // `v3.20/main` of Alpine's own list is about `Alpine:v3.20`.
  if (name === 'alpine-secdb' && part !== null) return judging.has(`Alpine:${part.replace(/\/.*$/s, '')}`)
  return [...judging].some((ecosystem) => baseOf(ecosystem) === baseOf(base))
}
