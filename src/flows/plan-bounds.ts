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
  const perHour = Math.min(given, quotaPerHour(profile) * quotaShare)
  return {
    everyMs: everyMsOf(config),
    minEveryMs: minEveryMsOf(config),
    perHour: perHour === Number.POSITIVE_INFINITY ? null : perHour,
  }
}

/** Infinity where there is none, or looks do not count against it, or it does not say over which time. */
function quotaPerHour({ quota, headCounts }: HostProfile): number {
  if (headCounts !== true || quota === undefined || quota.limit === null || quota.windowMs === null)
    return Number.POSITIVE_INFINITY
  return (quota.limit / quota.windowMs) * hourMs
}
