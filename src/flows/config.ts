import { existsSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { Fault } from '../core/fault.js'
import { parseRepository, parseTagReference, type Repository, type TagReference } from '../core/reference.js'
import { parseDuration } from '../core/time.js'
import { authSettingsSchema } from '../iam/settings.js'
import { notifySettingsSchema } from '../notify/settings.js'
import { networkSchema, registriesSchema } from '../registry/settings.js'
import { configPath, type Environment } from './places.js'
import { readYaml } from './read-yaml.js'

const closed = { additionalProperties: false } as const
const duration = Type.String({ pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d|w))+$', description: 'such as 30s, 5m, 1h' })
const globs = (description: string) => Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { description })

const watchSchema = Type.Array(
  Type.Union([
    Type.Object({ reference: Type.String({ description: 'a tag to watch' }), every: Type.Optional(duration) }, closed),
    Type.Object(
      {
        repository: Type.String({ description: 'a repository whose tags are followed as they come' }),
        tags: globs('globs of tags to follow'),
        exclude: Type.Optional(globs('globs of tags to leave out')),
        every: Type.Optional(duration),
        maxTags: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 100_000, description: 'watch at most so many; 500 when left out' }),
        ),
      },
      closed,
    ),
  ]),
  { description: 'what `tidemark serve` watches, reconciled at its start and on SIGHUP' },
)

/** tidemark.yaml: each part's own settings, joined. */
export const configSchema = Type.Object(
  {
    registries: Type.Optional(registriesSchema),
    network: Type.Optional(networkSchema),
    every: Type.Optional(duration),
    watch: Type.Optional(watchSchema),
    notify: Type.Optional(notifySettingsSchema),
    auth: Type.Optional(authSettingsSchema),
  },
  closed,
)

/** A tidemark.yaml that passed {@link configSchema}; empty when there is none. */
export type Config = Static<typeof configSchema>

/** How often a tag is looked at where nobody says. */
export const defaultEveryMs = 5 * 60_000
/** The interval of tags that have none of their own, in milliseconds. */
export function everyMsOf(config: Config): number {
  return config.every === undefined ? defaultEveryMs : parseDuration(config.every)
}
/** The shortest interval: below a second a registry would see us as an attack. */
export const shortestEveryMs = 1_000
/** Tags that one rule watches where it does not say. */
export const defaultMaxTags = 500

/**
 * Reads tidemark.yaml.
 * @param path `--config`; the usual places when left out, where the file may be absent
 * @throws Fault `file-unreadable`, `invalid-config` with file, line and key
 */
export async function readConfig(path: string | undefined, environment: Environment): Promise<Config> {
  const place = path === undefined ? configPath(environment) : { path, isNamed: true }
  if (!place.isNamed && !existsSync(place.path)) return {}
  return await readYaml(place.path, configSchema, 'invalid-config')
}

/** What the configuration watches, parsed. */
export interface DeclaredWatches {
  readonly tags: readonly { readonly reference: TagReference; readonly everyMs: number | null }[]
  readonly rules: readonly {
    readonly repository: Repository
    readonly tags: readonly string[]
    readonly exclude: readonly string[]
    readonly everyMs: number | null
    readonly maxTags: number
  }[]
}

/**
 * Reads the `watch:` part.
 * @throws Fault `invalid-reference`, `invalid-duration`, `invalid-argument`
 */
export function declaredWatches(config: Config): DeclaredWatches {
  const tags: DeclaredWatches['tags'][number][] = []
  const rules: DeclaredWatches['rules'][number][] = []
  for (const entry of config.watch ?? []) {
    const everyMs = entry.every === undefined ? null : parseEvery(entry.every)
    if ('reference' in entry) tags.push({ reference: parseTagReference(entry.reference), everyMs })
    else {
      const { exclude = [], maxTags = defaultMaxTags } = entry
      rules.push({ repository: parseRepository(entry.repository), tags: entry.tags, exclude, everyMs, maxTags })
    }
  }
  return { tags, rules }
}

/**
 * Reads an interval, at least a second.
 * @throws Fault `invalid-duration`
 */
export function parseEvery(text: string): number {
  const everyMs = parseDuration(text)
  if (everyMs >= shortestEveryMs && everyMs <= 30 * 86_400_000) return everyMs
  throw new Fault('invalid-duration', `an interval lies between 1s and 30d: '${text}'`)
}
