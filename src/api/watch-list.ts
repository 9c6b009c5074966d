import { Type } from 'typebox'
import { everyMsOf } from '../flows/config.js'
import { wireRule, wireWatch } from '../flows/wire.js'
import { defineOperation } from './operation.js'
import { closed, watchList as output } from './schemas.js'

/** What is watched, and what is known of it. */
export const watchList = defineOperation(
  {
    name: 'watchList',
    summary: 'What is watched, and what is known of it',
    capability: 'tag.list',
    input: Type.Unsafe<Record<string, never>>(Type.Object({}, closed)),
    output,
    async run(_, { services }) {
      const [{ watches }, config] = await Promise.all([services.store(), services.config()])
      const everyMs = everyMsOf(config)
      const [tags, rules] = await Promise.all([watches.list(), watches.listRules()])
      return { body: { watches: tags.map((watch) => wireWatch(watch, everyMs)), rules: rules.map(wireRule) } }
    },
  },
  true,
)
