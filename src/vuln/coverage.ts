import type { Advisories, ProductRelease } from '../core/advisory.js'
import { oneLine } from '../core/fault.js'
import type { Inventory } from '../core/inventory.js'
import type { Distribution } from '../core/package.js'
import type { InventoryPlan, PackagePlan } from './candidates.js'
import { isDistributionType } from './ecosystems.js'
import { dayOf } from './sentence.js'

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
    warnings: [...gaps, ...support, ...notes, ...dataWarnings(plan, advisories, now)]
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
  const release = releaseOf(distribution, advisories.releases(distribution.id))
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
function dataWarnings(plan: InventoryPlan, { identity, sources }: Advisories, now: number): string[] {
  const failed = sources.filter(({ failure }) => failure !== null)
  const judging = new Set(plan.packages.flatMap(({ keys }) => keys.map(({ ecosystem }) => baseOf(ecosystem))))
  const old = sources.filter(({ name, part, records, fetchedAt }) => {
    const isUsed = name !== 'endoflife' && (name !== 'osv' || part === null || judging.has(baseOf(part)))
    return records > 0 && isUsed && now - fetchedAt > freshMs
  })
  const oldest = Math.min(identity.builtAt, ...old.map(({ fetchedAt }) => fetchedAt))
  const which = old.length === 0 ? '' : ` (${namesOf(old)})`
  return [
    ...(now - oldest > freshMs
      ? [`the advisory data is of ${dayOf(oldest)}, ${Math.floor((now - oldest) / 86_400_000)} days old${which}`]
      : []),
    ...failed
      .slice(0, 10)
      .map(
        ({ name, part, failure, fetchedAt }) =>
          `${name}${part === null ? '' : ` ${part}`} could not be renewed and is of ${dayOf(fetchedAt)}: ${failure}`,
      ),
  ]
}
