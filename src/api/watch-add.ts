import { Type } from 'typebox'
import { formatReference, formatRepository, parseRepository, parseTagReference } from '../core/reference.js'
import { defaultMaxTags, parseEvery } from '../flows/config.js'
import { refuseMoment } from '../flows/refuse-moment.js'
import { defineOperation } from './operation.js'
import { closed, every, reference, repository, watchAdded } from './schemas.js'

const globs = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 100 })

/** Watches one tag. */
export const watchAdd = defineOperation(
  {
    name: 'watchAdd',
    summary: 'Watch a tag',
    capability: 'watch.create',
    input: Type.Object({ reference, every: Type.Optional(every) }, closed),
    output: watchAdded,
    async run({ reference: text, every: interval }, { services }) {
      refuseMoment(text)
      const parsed = parseTagReference(text)
      const everyMs = interval === undefined ? null : parseEvery(interval)
      const { watches } = await services.store()
      const { added } = await watches.add(parsed, { everyMs, origin: 'command' })
      return { body: { reference: formatReference(parsed), added } }
    },
  },
  true,
)

/** Follows the tags of a repository. */
export const watchAddRule = defineOperation(
  {
    name: 'watchAddRule',
    summary: 'Follow the tags of a repository as they come',
    capability: 'watch.create',
    input: Type.Object(
      {
        repository,
        tags: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
          minItems: 1,
          maxItems: 100,
          description: 'globs of tags to follow',
        }),
        exclude: Type.Optional(globs),
        every: Type.Optional(every),
        maxTags: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
      },
      closed,
    ),
    output: watchAdded,
    async run({ repository: text, tags, exclude = [], every: interval, maxTags = defaultMaxTags }, { services }) {
      const parsed = parseRepository(text)
      const everyMs = interval === undefined ? null : parseEvery(interval)
      const { watches } = await services.store()
      const { added } = await watches.addRule({
        repository: parsed,
        tags,
        exclude,
        everyMs,
        maxTags,
        origin: 'command',
      })
      return { body: { reference: formatRepository(parsed), added } }
    },
  },
  true,
)
