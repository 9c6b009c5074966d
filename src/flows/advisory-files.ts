import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { Fault, isFault, oneLine } from '../core/fault.js'
import { withLockFile } from '../store/lock-file.js'
import { makeFolder } from '../store/make-folder.js'
import { storeFault } from '../store/store-fault.js'
import { buildSnapshot, type SnapshotBuilder } from '../vuln/snapshot-builder.js'
import { writeHere } from '../vuln/snapshot-port.js'
import type { AdvisorySource } from '../vuln/sources/advisory-source.js'
import { advisorySources } from '../vuln/sources/list.js'
import type { Config } from './config.js'
import type { Services } from './open.js'
import { advisoriesPath } from './places.js'
import { snapshotStore } from './snapshot-store.js'

/** Where the snapshot lies. @throws Fault `file-unreadable`, `invalid-config` */
export async function snapshotPath(services: Services): Promise<string> {
  const { advisories = {} } = await services.config()
  return advisoriesPath(advisories, services.dataFolder)
}

/**
 * Runs `work` while nobody else builds a snapshot at `path`, in a folder that is there.
 * @throws Fault `store-unavailable` when somebody else does, and what `work` throws; `disk-full`
 */
export async function whileBuilding<Value>(
  path: string,
  services: Services,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    await makeFolder(dirname(path))
    return await withLockFile(`${path}.lock`, services.clock, work)
  } catch (error) {
    throw withPlaces(storeFault(error, path))
  }
}

/** The catalogue's ways out name options of the database, which the commands that write advisory data have not. */
function withPlaces(error: unknown): unknown {
  if (!isFault(error, 'disk-full', 'store-unavailable') || error.fix !== error.kind.fix) return error
  const first = error.code === 'disk-full' ? 'Free some space' : 'Make the folder writable'
  return new Fault(error.code, error.message, {
    cause: error,
    fix: `${first}, or put the data elsewhere with TIDEMARK_HOME, or advisories.path in tidemark.yaml.`,
    data: error.data,
  })
}

/**
 * Begins a snapshot at `path`.
 * @param options `inThread`: whether another thread writes it, which is worth it where much is read
 * @throws Fault as `buildSnapshot`
 */
export async function beginSnapshot(
  path: string,
  services: Services,
  options: { readonly keepsOld: boolean; readonly inThread: boolean },
): Promise<SnapshotBuilder> {
  const keepsOld = options.keepsOld && existsSync(path)
  const openPort = options.inThread ? (await import('./snapshot-thread.js')).writeInThread : writeHere(snapshotStore)
  return await buildSnapshot({ path, openPort, keepsOld, now: services.clock.now() })
}

/** A source with what the configuration says of it. */
export interface WantedSource {
  readonly source: AdvisorySource
  /** Without a slash at its end. */
  readonly url: string
  readonly parts: readonly string[] | undefined
}

/**
 * The sources that are downloaded.
 * @param names of them; empty: those that the configuration wants, which are the default ones where it says nothing
 * @throws Fault `invalid-argument`, `invalid-config` for a name that is none
 */
export function wantedSources(config: Config, names: readonly string[]): WantedSource[] {
  const settings = config.advisories?.sources ?? {}
  for (const name of Object.keys(settings)) requireSource(name, 'invalid-config', 'advisories.sources: ')
  for (const name of names) requireSource(name, 'invalid-argument', '')
  return advisorySources
    .filter(({ name, isDefault }) => (names.length > 0 ? names.includes(name) : (settings[name]?.enabled ?? isDefault)))
    .map((source) => {
      const { url = source.url, parts } = settings[source.name] ?? {}
      return { source, url: url.replace(/\/+$/, ''), parts }
    })
}

function requireSource(name: string, code: 'invalid-config' | 'invalid-argument', where: string): void {
  if (advisorySources.some((source) => source.name === name)) return
  const known = advisorySources.map((source) => source.name).join(', ')
  throw new Fault(code, `${where}there is no source '${oneLine(name)}'`, { fix: `Sources are ${known}.` })
}
