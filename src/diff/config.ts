import type { ImageConfig } from '../core/image-config.js'
import type { ConfigDiff, MapChange, NamedValue, SetChange, ValueChange } from '../core/image-diff.js'
import { compareKeys } from '../versions/version-order.js'
import { diffSets } from './sets.js'

/** What two configurations differ in; null when one side has none. */
export function diffConfigs(from: ImageConfig | null, to: ImageConfig | null): ConfigDiff | null {
  if (from === null || to === null) return null
  return withoutUndefined({
    user: diffValues(from.user, to.user),
    workingDir: diffValues(from.workingDir, to.workingDir),
    stopSignal: diffValues(from.stopSignal, to.stopSignal),
    entrypoint: diffValues(from.entrypoint, to.entrypoint),
    cmd: diffValues(from.cmd, to.cmd),
    healthcheck: diffValues(from.healthcheck, to.healthcheck),
    env: diffMaps(from.env, to.env),
    labels: diffMaps(from.labels, to.labels),
    ports: orNothing(diffSets(from.ports, to.ports)),
    volumes: orNothing(diffSets(from.volumes, to.volumes)),
  })
}

/** Texts, numbers, and lists and objects of them that are made in one place: equal when they are written alike. */
function diffValues<T>(from: T, to: T): ValueChange<T> | undefined {
  return JSON.stringify(from) === JSON.stringify(to) ? undefined : { from, to }
}

function diffMaps(from: ReadonlyMap<string, string>, to: ReadonlyMap<string, string>): MapChange | undefined {
  const names = [...new Set([...from.keys(), ...to.keys()])].sort(compareKeys)
  const added: NamedValue[] = []
  const removed: NamedValue[] = []
  const changed: MapChange['changed'][number][] = []
  for (const name of names) {
    const old = from.get(name)
    const now = to.get(name)
    if (old === undefined) added.push({ name, value: now ?? '' })
    else if (now === undefined) removed.push({ name, value: old })
    else if (old !== now) changed.push({ name, from: old, to: now })
  }
  return added.length + removed.length + changed.length === 0 ? undefined : { added, removed, changed }
}

function orNothing(change: SetChange): SetChange | undefined {
  return change.added.length + change.removed.length === 0 ? undefined : change
}

type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> }

function withoutUndefined<T extends object>(value: T): Partial<Present<T>> {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Partial<Present<T>>
}
