import { formatReference, formatRepository, parseTagReference } from '../core/reference.js'
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
    // The tags that it brought go with it; what somebody declared for a single tag stays.
    for (const watch of removed ? await watches.list() : []) {
      const isOurs = watch.reference.host === parsed.host && watch.reference.path === parsed.path
      if (isOurs && watch.origin === 'rule') await watches.remove(watch.reference)
    }
    return { body: { reference: formatRepository(parsed), removed } }
  },
}
