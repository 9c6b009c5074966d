import type { ChainguardConfigDiff, ChainguardTextsChange, ChainguardValueChange } from '../../../client/src/index.js'
import type { ConfigDiff, MapChange, SetChange, ValueChange } from '../../core/image-diff.js'

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
