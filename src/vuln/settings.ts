import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const

const source = Type.Object(
  {
    enabled: Type.Optional(
      Type.Boolean({ description: 'whether `db update` downloads it; docs/sources.md says which are' }),
    ),
    url: Type.Optional(
      Type.String({ pattern: '^https?://', description: 'where its files lie instead: a mirror in your own network' }),
    ),
    parts: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
        description: 'of `osv`: ecosystems; of `alpine-secdb`: releases; of `endoflife`: products',
      }),
    ),
  },
  { ...closed, description: 'one source, by its name in docs/sources.md' },
)

/** `advisories:` of tidemark.yaml. */
export const advisoriesSchema = Type.Object(
  {
    path: Type.Optional(
      Type.String({ minLength: 1, description: 'the snapshot; advisories.db in the data folder by default' }),
    ),
    every: Type.Optional(
      Type.Union([Type.Literal('off'), Type.String({ pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d|w))+$' })], {
        description: 'how often `tidemark serve` updates it; 6h by default, once there is one; `off` for never',
      }),
    ),
    sources: Type.Optional(Type.Record(Type.String(), source, { description: 'what is downloaded, and from where' })),
  },
  { ...closed, description: 'advisory data: which vulnerabilities packages have' },
)

/** See {@link advisoriesSchema}. */
export type AdvisoriesSettings = Static<typeof advisoriesSchema>
