import type { ImageConfig } from '../core/image-config.js'

/** One setting that differs; null where a side has none. */
export interface ConfigChange {
  /** `user`, `workingDir`, `env.PATH`, `labels.org.opencontainers.image.version` … */
  readonly key: string
  readonly from: string | null
  readonly to: string | null
}

/** What two configurations differ in, by key. The time of the build is none: it differs in every build. */
export function diffConfig(from: ImageConfig | null, to: ImageConfig | null): ConfigChange[] {
  const before = settingsOf(from)
  const after = settingsOf(to)
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .map((key) => ({ key, from: before.get(key) ?? null, to: after.get(key) ?? null }))
    .filter((change) => change.from !== change.to)
}

function settingsOf(config: ImageConfig | null): Map<string, string> {
  const settings = new Map<string, string>()
  if (config === null) return settings
  const { user, workingDir, stopSignal, healthcheck, entrypoint, cmd } = config
  const set = (key: string, value: string) => {
    if (value !== '') settings.set(key, value)
  }
  for (const [key, value] of Object.entries({ user, workingDir, stopSignal, healthcheck })) set(key, value)
  for (const [key, list] of Object.entries({ entrypoint, cmd })) if (list.length > 0) set(key, JSON.stringify(list))
  for (const [name, value] of config.env) settings.set(`env.${name}`, value)
  for (const [name, value] of config.labels) settings.set(`labels.${name}`, value)
  for (const port of config.exposedPorts) settings.set(`exposedPorts.${port}`, '')
  for (const volume of config.volumes) settings.set(`volumes.${volume}`, '')
  return settings
}
