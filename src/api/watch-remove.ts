import { formatReference, formatRepository, parseTagReference } from '../core/reference.js'
import { endUnwantedWatches } from '../flows/follow-tags.js'
import { upstreamOf } from '../flows/own-reference.js'
import { refuseMoment } from '../flows/refuse-moment.js'
import type { Operation } from './operation.js'

/** Ends a watch: of a tag, or with `rule` of a repository's tags. Histories stay. */
export const watchRemove: Operation<'watchRemove'> = {
  name: 'watchRemove',
  summary: 'Stop watching a tag, or following a repository',
  capability: 'watch.delete',
  async run({ reference: text, rule = false }, { services }) {
    refuseMoment(text)
    const parsed = await upstreamOf(parseTagReference(text), services)
    const { watches } = await services.store()
    if (!rule) return { body: { reference: formatReference(parsed), ...(await watches.remove(parsed)) } }
    const { removed } = await watches.removeRule(parsed, 'command')
    if (removed) await endUnwantedWatches(parsed, { watches })
    return { body: { reference: formatRepository(parsed), removed } }
  },
}
