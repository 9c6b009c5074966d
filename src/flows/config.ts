import { existsSync } from 'node:fs'
import type { Static } from 'typebox'
import { Fault, toFault } from '../core/fault.js'
import { parseHost } from '../core/host.js'
import { parseRepository, parseTagReference, type Repository, type TagReference } from '../core/reference.js'
import { parseDuration } from '../core/time.js'
import type { configSchema } from './config-schema.js'
import { configPath, type Environment } from './places.js'

/** A tidemark.yaml that passed {@link configSchema}; empty when there is none. */
export type Config = Static<typeof configSchema>

/** How often a tag is looked at where nobody says. */
export const defaultEveryMs = 5 * 60_000
/** The interval of tags that have none of their own, in milliseconds. */
export function everyMsOf(config: Config): number {
  return config.every === undefined ? defaultEveryMs : parseDuration(config.every)
}
/** The shortest interval that the planner chooses by itself. */
export const defaultMinEveryMs = 60_000
/** The shortest interval that the planner chooses, in milliseconds; where nobody says, it is no longer than the usual one. */
export function minEveryMsOf(config: Config): number {
  return config.minEvery === undefined ? Math.min(defaultMinEveryMs, everyMsOf(config)) : parseEvery(config.minEvery)
}
/** How long the rest of a move is waited for where nobody says: as long as pushing the next architecture usually takes. */
export const defaultSettleMs = 60_000
/** How long the rest of a move is waited for before it is told, in milliseconds. */
export function settleMsOf(config: Config): number {
  if (config.settle === undefined) return defaultSettleMs
  const settleMs = parseDuration(config.settle)
  if (settleMs <= longestSettleMs) return settleMs
  throw new Fault('invalid-duration', `settle lies between 0s and 1d: '${config.settle}'`)
}
const longestSettleMs = 86_400_000
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
  // Schemas and YAML take long to load, and most machines have no configuration.
  const [{ readYaml }, { configSchema }] = await Promise.all([import('./read-yaml.js'), import('./config-schema.js')])
  const config = await readYaml(place.path, configSchema, 'invalid-config')
  requireSense(config, place.path)
  return config
}

/** What a schema cannot say: told here, before something is done by half. */
function requireSense(config: Config, file: string): void {
  const refuse = (key: string, why: string) =>
    new Fault('invalid-config', `${file}: ${key}: ${why}`, { data: { file, key } })
  for (const [key, read] of [
    ['minEvery', minEveryMsOf],
    ['settle', settleMsOf],
  ] as const) {
    try {
      read(config)
    } catch (error) {
      throw refuse(key, toFault(error).message)
    }
  }
  for (const [name, { apiUrl }] of Object.entries(config.registries ?? {})) {
    const key = `registries.${name}`
    try {
      parseHost(name)
    } catch {
      // Its own message speaks of references.
      throw refuse(key, 'not a host as references name it, such as registry.example.com:5000')
    }
    if (apiUrl === undefined) continue
    const url = URL.canParse(apiUrl) ? new URL(apiUrl) : null
    if (url === null || !/^https?:$/.test(url.protocol)) throw refuse(`${key}.apiUrl`, 'not a URL of http or https')
    if (url.username !== '' || url.password !== '')
      throw refuse(`${key}.apiUrl`, 'holds a user or a password: give username and passwordFile')
  }
}

/** What the configuration watches, parsed. */
export interface DeclaredWatches {
  readonly tags: readonly {
    readonly reference: TagReference
    readonly everyMs: number | null
    readonly analyze: boolean | null
  }[]
  readonly rules: readonly {
    readonly repository: Repository
    readonly tags: readonly string[]
    readonly exclude: readonly string[]
    readonly everyMs: number | null
    readonly analyze: boolean | null
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
    const { analyze = null } = entry
    if ('reference' in entry) tags.push({ reference: parseTagReference(entry.reference), everyMs, analyze })
    else {
      const { exclude = [], maxTags = defaultMaxTags } = entry
      const repository = parseRepository(entry.repository)
      rules.push({ repository, tags: entry.tags, exclude, everyMs, analyze, maxTags })
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
