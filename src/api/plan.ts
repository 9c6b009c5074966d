import { parseHost } from '../core/host.js'
import { planWatching } from '../flows/watch-plan.js'
import type { Operation } from './operation.js'

/** What watching asks of whom, how often, and which limits would bite. */
export const plan: Operation<'plan'> = {
  name: 'plan',
  summary: 'What watching asks of whom, how often, and which limits would bite',
  capability: 'tag.list',
  async run({ host, tags = false }, { services }) {
    const question = { host: host === undefined ? undefined : parseHost(host), withTags: tags }
    return { body: await planWatching(question, services) }
  },
}
