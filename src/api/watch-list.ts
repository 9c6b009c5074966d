import { everyMsOf } from '../flows/config.js'
import { wireRule, wireWatch } from '../flows/wire.js'
import type { Operation } from './operation.js'

/** What is watched, and what is known of it. */
export const watchList: Operation<'watchList'> = {
  name: 'watchList',
  summary: 'What is watched, and what is known of it',
  capability: 'tag.list',
  async run(_, { services }) {
    const [{ watches }, config] = await Promise.all([services.store(), services.config()])
    const everyMs = everyMsOf(config)
    const [tags, rules] = await Promise.all([watches.list(), watches.listRules()])
    return { body: { watches: tags.map((watch) => wireWatch(watch, everyMs)), rules: rules.map(wireRule) } }
  },
}
