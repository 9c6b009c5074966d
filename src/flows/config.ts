import { existsSync } from 'node:fs'
import type { Static } from 'typebox'
import { Fault } from '../core/fault.js'
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
/** The shortest interval that the planner chooses, in milliseconds. */
export function minEveryMsOf(config: Config): number {
  return config.minEvery === undefined ? defaultMinEveryMs : parseDuration(config.minEvery)
}
/** How long the rest of a move is waited for where nobody says: as long as pushing the next architecture usually takes. */
export const defaultSettleMs = 60_000
/** How long the rest of a move is waited for before it is told, in milliseconds. */
export function settleMsOf(config: Config): number {
  return config.settle === undefined ? defaultSettleMs : parseDuration(config.settle)
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
  // Schemas and YAML take long to load, and most machines have no configuration.
  const [{ readYaml }, { configSchema }] = await Promise.all([import('./read-yaml.js'), import('./config-schema.js')])
  return await readYaml(place.path, configSchema, 'invalid-config')
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
