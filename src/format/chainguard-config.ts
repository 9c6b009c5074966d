import type { ConfigDiff, MapChange, SetChange, ValueChange } from '../core/image-diff.js'

/** A value of both sides; `current` is the second image's. */
export interface ChainguardValueChange {
  readonly current: string
  readonly previous: string
}

/** Texts that one side only has. */
export interface ChainguardTextsChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/**
 * What the configurations of two images differ in: `ImageConfigDiff` of registry.platform.proto, sdk v0.1.0 to v0.1.20. It never
 * had labels, ports and health checks.
 */
export interface ChainguardConfigDiff {
  readonly changed: {
    /** null: the same on both sides. */
    readonly changedUser: ChainguardValueChange | null
    readonly changedWorkingDir: ChainguardValueChange | null
    readonly changedStopSignal: ChainguardValueChange | null
    readonly entrypoints: ChainguardTextsChange
    /** `NAME=value`: one that changed is removed and added. */
    readonly envs: ChainguardTextsChange
    readonly cmds: ChainguardTextsChange
    /** Paths, each with an empty object. */
    readonly volumes: {
      readonly added: Readonly<Record<string, object>>
      readonly removed: Readonly<Record<string, object>>
    }
  }
}

/** The same in that form; null for null. */
export function toChainguardConfig(config: ConfigDiff | null): ChainguardConfigDiff | null {
  if (config === null) return null
  return {
    changed: {
      changedUser: toValueChange(config.user),
      changedWorkingDir: toValueChange(config.workingDir),
      changedStopSignal: toValueChange(config.stopSignal),
      entrypoints: toTextsChange(config.entrypoint),
      envs: toVariables(config.env),
      cmds: toTextsChange(config.cmd),
      volumes: toPaths(config.volumes),
    },
  }
}

function toValueChange(change: ValueChange<string> | undefined): ChainguardValueChange | null {
  return change === undefined ? null : { current: change.to, previous: change.from }
}

/** Where the same words stand in another order, both lists are shown whole: else the change would not be seen. */
function toTextsChange(change: ValueChange<readonly string[] | null> | undefined): ChainguardTextsChange {
  const from = change?.from ?? []
  const to = change?.to ?? []
  const added = to.filter((text) => !from.includes(text))
  const removed = from.filter((text) => !to.includes(text))
  return added.length + removed.length === 0 ? { added: to, removed: from } : { added, removed }
}

function toVariables(change: MapChange | undefined): ChainguardTextsChange {
  const { added = [], removed = [], changed = [] } = change ?? {}
  return {
    added: [
      ...added.map(({ name, value }) => `${name}=${value}`),
      ...changed.map(({ name, to }) => `${name}=${to}`),
    ].sort(),
    removed: [
      ...removed.map(({ name, value }) => `${name}=${value}`),
      ...changed.map(({ name, from }) => `${name}=${from}`),
    ].sort(),
  }
}

function toPaths({ added, removed }: SetChange = { added: [], removed: [] }) {
  const objects = (paths: readonly string[]) => Object.fromEntries(paths.map((path) => [path, {}]))
  return { added: objects(added), removed: objects(removed) }
}
