import { Type } from 'typebox'
import { authSettingsSchema } from '../iam/settings.js'
import { notifySettingsSchema } from '../notify/settings.js'
import { networkSchema, registriesSchema } from '../registry/settings.js'
import { advisoriesSchema } from '../vuln/settings.js'
import { webhooksSchema } from './webhook-settings.js'

const closed = { additionalProperties: false } as const
const durationPattern = '^(\\d+(\\.\\d+)?(ms|s|m|h|d|w))+$'
const duration = Type.String({ pattern: durationPattern, description: 'such as 30s, 5m, 1h' })
const analyze = Type.Boolean({
  description: 'whether new digests are analyzed by `tidemark serve` as they come, so that their diff is ready',
})
const globs = (description: string) => Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { description })

const watchSchema = Type.Array(
  Type.Union([
    Type.Object(
      {
        reference: Type.String({ description: 'a tag to watch' }),
        every: Type.Optional(duration),
        analyze: Type.Optional(analyze),
      },
      closed,
    ),
    Type.Object(
      {
        repository: Type.String({ description: 'a repository whose tags are followed as they come' }),
        tags: globs('globs of tags to follow'),
        exclude: Type.Optional(globs('globs of tags to leave out')),
        every: Type.Optional(duration),
        analyze: Type.Optional(analyze),
        maxTags: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 100_000, description: 'watch at most so many; 500 when left out' }),
        ),
      },
      closed,
    ),
  ]),
  { description: 'what `tidemark serve` watches, reconciled at its start and on SIGHUP' },
)

const serverSchema = Type.Object(
  {
    trustedProxies: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'addresses and networks (CIDR) whose `X-Forwarded-For`, `-Host` and `-Proto` are believed; nobody, when left out',
      }),
    ),
  },
  { ...closed, description: 'how `tidemark serve` is reached; read at its start' },
)

const storageSchema = Type.Object(
  {
    maxBytes: Type.Optional(
      Type.Integer({
        minimum: 1_000_000,
        description:
          'how much may be kept of what was read of images; beyond it the oldest goes, of unwatched ones first. No bound when left out; history is never forgotten',
      }),
    ),
  },
  { ...closed, description: 'what is kept' },
)

/** tidemark.yaml: each part's own settings, joined. */
export const configSchema = Type.Object(
  {
    registries: Type.Optional(registriesSchema),
    network: Type.Optional(networkSchema),
    every: Type.Optional(duration),
    minEvery: Type.Optional(
      Type.String({
        pattern: durationPattern,
        description: 'the shortest interval that is chosen for a tag that moves often; 1m when left out',
      }),
    ),
    settle: Type.Optional(
      Type.String({
        pattern: durationPattern,
        description:
          'how long the rest of a move is waited for before it is told, where an index is pushed architecture by architecture; 1m when left out, 0s: not at all',
      }),
    ),
    analyze: Type.Optional(analyze),
    vex: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: 'VEX documents (OpenVEX, CSAF, CycloneDX); relative paths are beside the configuration',
      }),
    ),
    watch: Type.Optional(watchSchema),
    notify: Type.Optional(notifySettingsSchema),
    auth: Type.Optional(authSettingsSchema),
    advisories: Type.Optional(advisoriesSchema),
    server: Type.Optional(serverSchema),
    storage: Type.Optional(storageSchema),
    webhooks: Type.Optional(webhooksSchema),
  },
  closed,
)
