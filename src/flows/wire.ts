import type {
  TidemarkEvent,
  Watch,
  HistoryEntry as WireEntry,
  HistoryGap as WireGap,
  WatchRule as WireRule,
} from '../../client/src/index.js'
import type { HistoryEntry, HistoryGap } from '../core/history.js'
import { formatReference, formatRepository } from '../core/reference.js'
import { formatDuration, formatTime } from '../core/time.js'
import type { StoredEvent } from '../store/event-store.js'
import type { WatchedTag, WatchRule } from '../store/store.js'
import { lastLookAt } from './tag-times.js'

/** An entry as the native API shows it. */
export function wireEntry(entry: HistoryEntry): WireEntry {
  return {
    digest: entry.digest,
    at: formatTime(entry.at),
    seenAt: timeOrNull(entry.seenAt),
    notBefore: timeOrNull(entry.notBefore),
    pushedAt: timeOrNull(entry.pushedAt),
    kind: entry.kind,
    changes: [...entry.changes],
    source: entry.source,
  }
}

/** A gap as the native API shows it. */
export function wireGap({ from, to, reason }: HistoryGap): WireGap {
  return { from: formatTime(from), to: timeOrNull(to), reason }
}

/** An event as the native API, server-sent events and webhooks show it. */
export function wireEvent(event: StoredEvent): TidemarkEvent {
  const base = { id: event.id, at: formatTime(event.at), reference: formatReference(event.reference) }
  if (event.type === 'image.newly-known') {
    const { digest, shown } = event.body
    return { ...base, type: event.type, digest, ...shown }
  }
  const { type, entry, previousDigest } = event
  return { ...base, type, entry: wireEntry(entry), previousDigest }
}

/** A chosen interval, to the second: more says nothing to a reader. */
export function formatInterval(everyMs: number): string {
  return formatDuration(everyMs < 10_000 ? everyMs : Math.round(everyMs / 1_000) * 1_000)
}

/**
 * A watch as the native API shows it.
 * @param defaultEveryMs the server's interval, for watches without one
 */
export function wireWatch(watch: WatchedTag, defaultEveryMs: number): Watch {
  return {
    reference: formatReference(watch.reference),
    every: watch.everyMs === null ? null : formatDuration(watch.everyMs),
    planned: watch.plannedMs === null ? null : formatInterval(watch.plannedMs),
    analyze: watch.analyze,
    state: watch.state,
    reason: watch.reason,
    since: formatTime(watch.stateSince),
    digest: watch.digest,
    checkedAt: timeOrNull(lastLookAt(watch, defaultEveryMs)),
    origin: watch.origin,
  }
}

/** A rule as the native API shows it. */
export function wireRule(rule: WatchRule): WireRule {
  return {
    repository: formatRepository(rule.repository),
    tags: [...rule.tags],
    exclude: [...rule.exclude],
    every: rule.everyMs === null ? null : formatDuration(rule.everyMs),
    analyze: rule.analyze,
    maxTags: rule.maxTags,
    origin: rule.origin,
  }
}

function timeOrNull(timeMs: number | null): string | null {
  return timeMs === null ? null : formatTime(timeMs)
}
