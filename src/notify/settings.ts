import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const

/** `notify:` of tidemark.yaml: whom to tell of what. */
export const notifySettingsSchema = Type.Array(
  Type.Object(
    {
      name: Type.Optional(
        Type.String({ minLength: 1, maxLength: 64, description: 'for `deliveries list`; the URL’s host by default' }),
      ),
      webhook: Type.String({ pattern: '^https?://', description: 'where to POST' }),
      secretFile: Type.String({ minLength: 1, description: 'a file that holds the signing secret' }),
      events: Type.Optional(
        Type.Array(Type.String(), { description: 'types such as tag.moved, `*` allowed; all by default' }),
      ),
      tags: Type.Optional(Type.Array(Type.String(), { description: 'references, `*` allowed; all by default' })),
    },
    closed,
  ),
  { description: 'whom to tell of what' },
)

/** See {@link notifySettingsSchema}. */
export type NotifySettings = Static<typeof notifySettingsSchema>
