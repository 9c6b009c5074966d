import type { HostPlan, WatchPlan } from '../../client/src/index.js'
import type { Host } from '../core/host.js'
import { type HostProfile, isAskedByGet, parseHostProfile } from '../core/host-profile.js'
import { formatReference, formatRepository } from '../core/reference.js'
import { formatDuration, formatTime } from '../core/time.js'
import type { Registry } from '../registry/registry.js'
import type { Store, WatchedTag, WatchRule } from '../store/store.js'
import { type Config, everyMsOf } from './config.js'
import { LanePlanner } from './lane-planner.js'
import { isListable, isTrusted, proofsPerList } from './listed-repositories.js'
import type { Services } from './open.js'
import { planBoundsOf, quotaPerHour } from './plan-bounds.js'
import type { ScheduledTag } from './scheduled-tag.js'
import { WatchedLane } from './watched-lane.js'
import { formatInterval } from './wire.js'

/** What is asked. */
export interface WatchPlanQuestion {
  /** One host only. */
  readonly host?: Host | undefined
  /** Whether each tag is told. */
  readonly withTags: boolean
}

const hourMs = 3_600_000

/**
 * What watching asks of each host, how often, and which limits would bite: the plan that a server has made, or would make now.
 * Nothing is asked of any registry.
 * @throws Fault of the store and the configuration
 */
export async function planWatching(question: WatchPlanQuestion, services: Services): Promise<WatchPlan> {
  const [config, store, registry] = await Promise.all([services.config(), services.store(), services.registry()])
  const [watches, rules, hosts] = await Promise.all([
    store.watches.list(),
    store.watches.listRules(),
    store.hosts.load(),
  ])
  const profiles = new Map(hosts.map(({ host, profile }) => [host, parseHostProfile(profile)]))
  const laneIds = [...new Set([...watches, ...rules].map(({ laneId }) => laneId))]
  const plans: HostPlan[] = []
  for (const laneId of laneIds) {
    const lane = {
      laneId,
      watches: watches.filter((watch) => watch.laneId === laneId),
      rules: rules.filter((rule) => rule.laneId === laneId),
    }
    const host = lane.watches[0]?.reference.host ?? lane.rules[0]?.repository.host
    if (host === undefined || (question.host !== undefined && question.host !== host)) continue
    const profile = profiles.get(host) ?? {}
    plans.push(await planHost({ ...lane, host, profile }, question, { config, store, registry, services }))
  }
  return { hosts: plans }
}

interface HostWatches {
  readonly laneId: number
  readonly host: Host
  readonly profile: HostProfile
  readonly watches: readonly WatchedTag[]
  readonly rules: readonly WatchRule[]
}

interface Means {
  readonly config: Config
  readonly store: Store
  readonly registry: Registry
  readonly services: Services
}

async function planHost(
  { laneId, host, profile, watches, rules }: HostWatches,
  { withTags }: WatchPlanQuestion,
  { config, store, registry, services }: Means,
): Promise<HostPlan> {
  const now = services.clock.now()
  const bounds = planBoundsOf(config, host, profile)
  const lane = new WatchedLane({ laneId, epoch: 0 }, host, 0)
  lane.update(watches, everyMsOf(config), now)
  const planner = new LanePlanner(bounds)
  await planner.load(laneId, store.plans, now)
  const isListed = (_: string, tags: number) => isListable(registry, host, profile, tags, now)
  planner.replan(lane, isListed, now)
  const tags = [...lane.tags.values()]
  const lists = listsOf(tags, host)
  const listsPerHour = sum(lists.map(({ everyMs }) => hourMs / everyMs))
  const single = tags.filter(({ list }) => list === null)
  const proofsPerHour = sum(lists.map(({ everyMs, tags: count }) => (hourMs / everyMs) * proofsPerList(count)))
  const looksPerHour = sum(single.map(({ everyMs }) => hourMs / everyMs)) + proofsPerHour
  const ownLists = rules.filter(({ repository }) => !lists.some(({ path }) => path === repository.path))
  const rulesPerHour = sum(ownLists.map(({ everyMs }) => hourMs / (everyMs ?? bounds.everyMs)))
  const cost = { looksPerHour: round(looksPerHour), listsPerHour: round(listsPerHour + rulesPerHour) }
  const pausedUntil = registry.pausedUntil(host) ?? (await store.plans.pausedUntil(laneId))
  return {
    ...{ host, kind: registry.kindOf(host), tags: tags.length, rules: rules.length, ...cost },
    requestsPerHour: bounds.perHour === null ? null : round(bounds.perHour),
    intervals: intervalsOf(tags, bounds.everyMs),
    lists: lists.map(({ path, everyMs, tags: count }) => ({
      ...{ repository: formatRepository({ host, path }), tags: count, every: formatInterval(everyMs) },
    })),
    quota: quotaOf(profile),
    pausedUntil: pausedUntil === null || pausedUntil <= now ? null : formatTime(pausedUntil),
    warnings: warningsOf(host, profile, bounds.perHour, cost.looksPerHour + cost.listsPerHour, cost.looksPerHour, now),
    plannedTags: withTags ? tags.map(plannedTag) : [],
  }
}

function listsOf(tags: readonly ScheduledTag[], host: Host) {
  const byPath = new Map<string, { host: Host; path: string; everyMs: number; tags: number }>()
  for (const { list, everyMs } of tags) {
    if (list === null) continue
    const known = byPath.get(list.path)
    if (known === undefined) byPath.set(list.path, { host, path: list.path, everyMs, tags: 1 })
    else known.tags++
  }
  return [...byPath.values()]
}

function intervalsOf(tags: readonly ScheduledTag[], everyMs: number): HostPlan['intervals'] {
  const sorted = tags.map((tag) => tag.everyMs).sort((a, b) => a - b)
  const at = (share: number) => formatInterval(sorted[Math.floor((sorted.length - 1) * share)] ?? everyMs)
  return { shortest: at(0), median: at(0.5), longest: at(1) }
}

function quotaOf({ quota, headCounts }: HostProfile): HostPlan['quota'] {
  if (quota === undefined) return null
  const { dialect, limit, windowMs } = quota
  return {
    dialect,
    limit,
    window: windowMs === null ? null : formatDuration(windowMs),
    countsLooks: headCounts ?? null,
  }
}

function plannedTag({ reference, everyMs, givenMs }: ScheduledTag): HostPlan['plannedTags'][number] {
  const given = givenMs === null ? null : formatDuration(givenMs)
  return { reference: formatReference(reference), every: formatInterval(everyMs), given }
}

function warningsOf(
  host: Host,
  profile: HostProfile,
  perHour: number | null,
  needed: number,
  looks: number,
  now: number,
): string[] {
  const warnings: string[] = []
  if (perHour !== null && needed > perHour * 1.001) {
    warnings.push(
      `its tags take ${round(needed)} requests an hour even at their longest intervals, and ${round(perHour)} are allowed: looks come late, each tag about ${(needed / perHour).toFixed(1)} times as rarely as is said here. Give longer intervals (\`every\`, \`watch add … --every\`), or allow more (registries.${host}.requestsPerHour)`,
    )
  }
  if (isAskedByGet(profile)) {
    const why = profile.head === 'refused' ? 'it refuses HEAD' : 'its answers to HEAD have no digest'
    warnings.push(
      `${why}, so each look fetches the manifest: ${round(looks)} an hour, which count as pulls where pulls are counted`,
    )
  }
  const allowed = quotaPerHour(profile)
  if (profile.headCounts === undefined && needed > allowed) {
    warnings.push(
      `it allows ${round(allowed)} requests an hour, and it is not known yet whether looks count: ${round(needed)} are planned`,
    )
  }
  if (!isTrusted(profile, now)) {
    warnings.push(
      'its list of digests has said what its manifests did not: each tag is asked for until that is a week ago',
    )
  }
  return warnings
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

function round(number: number): number {
  return number < 10 ? Math.round(number * 100) / 100 : Math.round(number)
}
