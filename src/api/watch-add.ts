import { Fault } from '../core/fault.js'
import { formatReference, formatRepository, parseRepository, parseTagReference } from '../core/reference.js'
import { defaultMaxTags, parseEvery } from '../flows/config.js'
import { upstreamOf } from '../flows/own-reference.js'
import { refuseMoment } from '../flows/refuse-moment.js'
import type { Operation } from './operation.js'

/** Watches one tag. */
export const watchAdd: Operation<'watchAdd'> = {
  name: 'watchAdd',
  summary: 'Watch a tag',
  capability: 'watch.create',
  async run({ reference: text, every: interval, analyze }, { services }) {
    refuseMoment(text)
    const parsed = await upstreamOf(parseTagReference(text), services)
    const { watches } = await services.store()
    // Watched already and nothing said: it stays as it is.
    const known = await watches.find(parsed)
    const everyMs = interval === undefined ? (known?.everyMs ?? null) : parseEvery(interval)
    const options = { everyMs, analyze: analyze ?? known?.analyze ?? null, origin: 'command' } as const
    const { added } = await watches.add(parsed, options)
    return { body: { reference: formatReference(parsed), added } }
  },
}

/** Follows the tags of a repository. */
export const watchAddRule: Operation<'watchAddRule'> = {
  name: 'watchAddRule',
  summary: 'Follow the tags of a repository as they come',
  capability: 'watch.create',
  async run(
    { repository: text, tags, exclude = [], every: interval, analyze = null, maxTags = defaultMaxTags },
    { services },
  ) {
    const parsed = await upstreamOf(parseRepository(text), services)
    if ([...tags, ...exclude].includes('')) {
      throw new Fault('invalid-argument', 'an empty glob takes no tag', { fix: "Write '*' for all tags." })
    }
    const everyMs = interval === undefined ? null : parseEvery(interval)
    const { watches } = await services.store()
    const { added } = await watches.addRule({
      repository: parsed,
      tags,
      exclude,
      everyMs,
      analyze,
      maxTags,
      origin: 'command',
    })
    return { body: { reference: formatRepository(parsed), added } }
  },
}
