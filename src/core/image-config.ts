import { limits } from './limits.js'

/** What an image configuration says about how it is run: OCI image specification v1.1.1, config.md. */
export interface ImageConfig {
  readonly user: string
  readonly workingDir: string
  readonly stopSignal: string
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly env: ReadonlyMap<string, string>
  readonly labels: ReadonlyMap<string, string>
  readonly exposedPorts: readonly string[]
  readonly volumes: readonly string[]
  /** Docker's extension, as JSON; empty where there is none. */
  readonly healthcheck: string
  /** RFC 3339; empty where it says none. */
  readonly created: string
}

/** Reads a configuration; null where its bytes are none. Values of another type than the specification's are left out. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig | null {
  const root = parseRecord(bytes)
  if (root === null) return null
  const config = isRecord(root.config) ? root.config : {}
  return {
    user: text(config.User),
    workingDir: text(config.WorkingDir),
    stopSignal: text(config.StopSignal),
    entrypoint: texts(config.Entrypoint),
    cmd: texts(config.Cmd),
    env: new Map(texts(config.Env).map(splitAssignment)),
    labels: new Map(
      Object.entries(isRecord(config.Labels) ? config.Labels : {}).map(([key, value]) => [key, text(value)]),
    ),
    exposedPorts: keys(config.ExposedPorts),
    volumes: keys(config.Volumes),
    healthcheck: isRecord(config.Healthcheck) ? JSON.stringify(config.Healthcheck) : '',
    created: text(root.created),
  }
}

function parseRecord(bytes: Uint8Array): Record<string, unknown> | null {
  if (bytes.byteLength === 0 || bytes.byteLength > limits.configBytes) return null
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return isRecord(value) ? value : null
  } catch {
    // A configuration that cannot be read has nothing to compare; whoever asks shows that it has none.
    return null
  }
}

function splitAssignment(line: string): [string, string] {
  const equals = line.indexOf('=')
  return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)]
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

function keys(value: unknown): string[] {
  return isRecord(value) ? Object.keys(value).sort() : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
