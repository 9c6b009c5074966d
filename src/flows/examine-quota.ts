import { isFault } from '../core/fault.js'
import { type HostProfile, isAskedByGet } from '../core/host-profile.js'
import type { Quota } from '../core/quota.js'
import { formatDuration, formatTime } from '../core/time.js'
import type { Examination, Finding, Found } from './doctor-step.js'
import { planBoundsOf } from './plan-bounds.js'

const waitFix = 'Wait until then; credentials often have a larger quota.'

/** What the registry says of its limits, and what watching leaves of them. Nothing is supposed where it says nothing. */
export async function examineQuota(examination: Examination): Promise<Finding<'quota'>> {
  const { target, examiner, ping, config } = examination
  const { host } = target
  const { registry } = examiner
  if (ping === undefined) {
    const until = await storedPause(examination)
    const message =
      until === null ? 'not tried, because there was no answer' : `it wants to be left alone until ${formatTime(until)}`
    return {
      status: until === null ? 'skipped' : 'warning',
      message,
      ...(until !== null && { fix: waitFix }),
      found: null,
    }
  }
  const quota = registry.quota(host) ?? ping.quota
  const profile = registry.profile(host)
  const headCounts = profile.headCounts ?? (await storedHeadCounts(examination))
  const known: HostProfile = { ...(quota && { quota }), ...(headCounts !== null && { headCounts }) }
  const { perHour } = planBoundsOf(config, host, known)
  const until = registry.pausedUntil(host) ?? (await storedPause(examination))
  const found: Found<'quota'> = {
    ...{ dialect: quota?.dialect ?? null, limit: quota?.limit ?? null, windowMs: quota?.windowMs ?? null },
    remaining: quota?.remaining ?? null,
    resetAt: moment(quota?.resetAt ?? null),
    ...{ pausedUntil: moment(until), headCounts, watchingPerHour: perHour },
  }
  const isGet = isAskedByGet(profile)
  const isGiven = config.registries?.[host]?.requestsPerHour !== undefined
  const texts = [quotaText(quota), looksText(quota, headCounts, isGet), watchingText(perHour, isGiven)]
  const message = texts.filter((text) => text !== '').join('; ')
  if (until !== null) {
    return {
      status: 'warning',
      message: `${message}; it wants to be left alone until ${formatTime(until)}`,
      fix: waitFix,
      found,
    }
  }
  if (quota?.remaining !== 0) return { status: 'ok', message, found }
  return { status: 'warning', message, fix: 'Wait, or log in: credentials often have a larger quota.', found }
}

function quotaText(quota: Quota | null): string {
  if (quota === null) return 'the registry says nothing of a quota'
  const { dialect, limit, windowMs, remaining, resetAt } = quota
  const per = windowMs === null ? '' : ` in ${formatDuration(windowMs)}`
  const parts = [
    limit === null ? 'it refuses, and tells no numbers' : `${limit} requests${per}`,
    ...(remaining === null ? [] : [`${remaining} left`]),
    ...(resetAt === null ? [] : [`anew at ${formatTime(Math.ceil(resetAt))}`]),
  ]
  return `${parts.join(', ')} (as ${dialect} tells it)`
}

function looksText(quota: Quota | null, headCounts: boolean | null, isGet: boolean): string {
  if (quota === null || quota.limit === null) return ''
  if (isGet) return 'each look is a GET here, and counts'
  if (headCounts === null) return 'whether HEAD counts, it does not say; watching finds out after 16 looks'
  return headCounts ? 'HEAD counts' : 'HEAD does not count: watching leaves it whole'
}

function watchingText(perHour: number | null, isGiven: boolean): string {
  if (perHour === null) return ''
  const by = isGiven ? ', by requestsPerHour or half of the quota' : ', half of the quota'
  return `watching takes at most ${Math.floor(perHour)} requests an hour${by}`
}

/** Until when the host asked watchers to leave it alone; null when it did not, or that is over, or the store cannot be read. */
export async function storedPause(examination: Examination): Promise<number | null> {
  const until = (await readableStored(examination))?.pausedUntil ?? null
  return until === null || until <= examination.now() ? null : until
}

/** Found out over many looks, which is more than are made here. */
async function storedHeadCounts(examination: Examination): Promise<boolean | null> {
  return (await readableStored(examination))?.profile.headCounts ?? null
}

async function readableStored({ stored }: Examination): ReturnType<Examination['stored']> {
  try {
    return await stored()
  } catch (error) {
    // The step `list` tells that the store cannot be read.
    if (isFault(error) && !isFault(error, 'cancelled', 'internal')) return null
    throw error
  }
}

function moment(timeMs: number | null): string | null {
  return timeMs === null ? null : formatTime(Math.ceil(timeMs))
}
