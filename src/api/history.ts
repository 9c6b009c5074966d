import { Fault } from '../core/fault.js'
import { formatReference, parseTagReference } from '../core/reference.js'
import { parseTime } from '../core/time.js'
import { exportHistory, importHistory } from '../flows/import-history.js'
import { upstreamOf } from '../flows/own-reference.js'
import { formatHistoryCursor, parseHistoryCursor, readHistory } from '../flows/read-history.js'
import { wireEntry, wireGap } from '../flows/wire.js'
import type { Operation } from './operation.js'

/** What a tag has pointed at. */
export const history: Operation<'history'> = {
  name: 'history',
  summary: 'What a tag has pointed at, and when it could not be asked',
  capability: 'tag.list',
  async run({ reference, start, end, limit = 1_000, order = 'asc', cursor }, { services }) {
    const question = {
      ...{ revision: reference, limit, order },
      ...(start !== undefined && { start: parseTime(start) }),
      ...(end !== undefined && { end: parseTime(end) }),
      ...(cursor !== undefined && { after: parseHistoryCursor(cursor) }),
    }
    const page = await readHistory(question, services)
    const body = {
      reference: formatReference(page.reference),
      entries: page.entries.map(wireEntry),
      gaps: page.gaps.map(wireGap),
    }
    return { body, next: page.next === null ? null : formatHistoryCursor(page.next) }
  },
}

/** A history in the form that can be brought along. */
export const historyExport: Operation<'historyExport'> = {
  name: 'historyExport',
  summary: 'The whole history of a tag, in the form of the Tag History API',
  capability: 'tag.list',
  async run({ reference }, { services }) {
    const parsed = await upstreamOf(parseTagReference(reference), services)
    const body = await exportHistory(parsed, services)
    if (body === null) throw new Fault('not-watched', `there is no history of ${formatReference(parsed)}`)
    return { body }
  },
}

/** Brings a history along. */
export const historyImport: Operation<'historyImport'> = {
  name: 'historyImport',
  summary: 'Merge a history that was kept elsewhere; twice changes nothing',
  capability: 'history.import',
  async run({ reference, history: entries }, { services }) {
    const parsed = await upstreamOf(parseTagReference(reference), services)
    const merged = await importHistory(parsed, { history: entries }, services)
    return { body: { reference: formatReference(parsed), ...merged } }
  },
}
