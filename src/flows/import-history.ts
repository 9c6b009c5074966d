import type { HistoryExport } from '../../client/src/index.js'
import { isDigest } from '../core/digest.js'
import { Fault, oneLine } from '../core/fault.js'
import type { HistoryClaim } from '../core/history.js'
import type { TagReference } from '../core/reference.js'
import { formatTime, parseTime } from '../core/time.js'
import type { Services } from './open.js'

/**
 * Brings along a history that was kept elsewhere, in the form of the Tag History API. Merged in time order; the same again
 * changes nothing.
 * @throws Fault `invalid-import` for a time or digest that is none, or a time that is still to come
 */
export async function importHistory(
  reference: TagReference,
  body: HistoryExport,
  services: Services,
): Promise<{ inserted: number; dated: number }> {
  const now = services.clock.now()
  const claims = body.history.map((entry, index) => parseClaim(entry, index, now))
  const { history } = await services.store()
  return await history.merge(reference, claims, 'import')
}

function parseClaim(entry: HistoryExport['history'][number], index: number, now: number): HistoryClaim {
  const refuse = (what: string) => new Fault('invalid-import', `history[${index}]: ${what}`)
  if (!isDigest(entry.digest)) throw refuse(`not a digest: '${oneLine(entry.digest.slice(0, 80))}'`)
  let at: number
  try {
    at = parseTime(entry.updateTimestamp)
  } catch {
    // Told again with the place in the file, which the reader needs to mend it.
    throw refuse(`not a time: '${oneLine(entry.updateTimestamp.slice(0, 60))}'`)
  }
  if (at > now) throw refuse(`${formatTime(at)} is still to come`)
  return { digest: entry.digest, at }
}

/** The whole history of a tag in that form, oldest first; removals are left out, for the form has none. */
export async function exportHistory(reference: TagReference, services: Services): Promise<HistoryExport | null> {
  const { history } = await services.store()
  const exported: HistoryExport = { history: [] }
  let after: Parameters<typeof history.page>[1]['after']
  do {
    const page = await history.page(reference, { limit: 1_000, order: 'asc', ...(after && { after }) })
    if (page === null) return null
    for (const { digest, at } of page.entries) {
      if (digest !== null) exported.history.push({ updateTimestamp: formatTime(at), digest })
    }
    after = page.next ?? undefined
  } while (after !== undefined)
  return exported
}
