import type { Host } from '../core/host.js'
import type { HostProfile } from '../core/host-profile.js'
import { type Config, everyMsOf, minEveryMsOf } from './config.js'
import type { PlanBounds } from './lane-planner.js'

/** Of a quota that looks count against, watching takes at most this share: the rest is for whoever pulls. */
const quotaShare = 0.5
const hourMs = 3_600_000

/** What the looks at a host may cost: by the configuration, and by what the host says of its quota. */
export function planBoundsOf(config: Config, host: Host, profile: HostProfile): PlanBounds {
  const given = config.registries?.[host]?.requestsPerHour ?? Number.POSITIVE_INFINITY
  const ofQuota = profile.headCounts === true ? quotaPerHour(profile) * quotaShare : Number.POSITIVE_INFINITY
  const perHour = Math.min(given, ofQuota)
  return {
    everyMs: everyMsOf(config),
    minEveryMs: minEveryMsOf(config),
    perHour: perHour === Number.POSITIVE_INFINITY ? null : perHour,
  }
}

/** Requests an hour that a host's quota comes to; Infinity where there is none, or it does not say over which time. */
export function quotaPerHour({ quota }: HostProfile): number {
  if (quota === undefined || quota.limit === null || quota.windowMs === null) return Number.POSITIVE_INFINITY
  return (quota.limit / quota.windowMs) * hourMs
}
