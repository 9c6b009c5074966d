import { Fault } from './fault.js'
import { textOf } from './json-object.js'
import { limits } from './limits.js'

/** How a container of an image is run: OCI image specification v1.1.1, config.md, "config"; Docker's `Healthcheck`. */
export interface ImageConfig {
  /** As written, `user`, `uid:gid`; empty: root. */
  readonly user: string
  /** Empty: the root. */
  readonly workingDir: string
  /** `SIGTERM`; empty: the runtime's default. */
  readonly stopSignal: string
  /** null: none is set. */
  readonly entrypoint: readonly string[] | null
  readonly cmd: readonly string[] | null
  readonly healthcheck: Healthcheck | null
  /** By name; of a variable that is set twice, the last. One without `=` has an empty value. */
  readonly env: ReadonlyMap<string, string>
  readonly labels: ReadonlyMap<string, string>
  /** `8080/tcp`. */
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
}

/** How a runtime finds out that a container works; a time or number is null where the runtime's default holds. */
export interface Healthcheck {
  /** `CMD` or `CMD-SHELL` and what follows; `NONE`: switched off. */
  readonly test: readonly string[]
  readonly intervalMs: number | null
  readonly timeoutMs: number | null
  readonly startPeriodMs: number | null
  readonly retries: number | null
}

/**
 * Reads an image configuration. A value of another type than it should have counts as absent, as it does for runtimes.
 * @throws Fault `damaged-layer` when it is not a JSON object; `too-large`
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  if (bytes.length > limits.configBytes) {
    throw new Fault('too-large', `the configuration of the image has more than ${limits.configBytes} bytes`)
  }
  const document = parseObject(bytes)
  const config = recordOf(document.config)
  const env = texts(config.Env) ?? []
  return {
    user: textOf(config.User),
    workingDir: textOf(config.WorkingDir),
    stopSignal: textOf(config.StopSignal),
    entrypoint: texts(config.Entrypoint),
    cmd: texts(config.Cmd),
    healthcheck: parseHealthcheck(config.Healthcheck),
    env: new Map(env.map(splitVariable)),
    labels: new Map(
      Object.entries(recordOf(config.Labels)).flatMap(([name, value]): [string, string][] =>
        typeof value === 'string' ? [[name, value]] : [],
      ),
    ),
    ports: Object.keys(recordOf(config.ExposedPorts)).sort(),
    volumes: Object.keys(recordOf(config.Volumes)).sort(),
  }
}

function parseHealthcheck(value: unknown): Healthcheck | null {
  const { Test, Interval, Timeout, StartPeriod, Retries } = recordOf(value)
  const test = texts(Test)
  if (test === null) return null
  return {
    test,
    intervalMs: milliseconds(Interval),
    timeoutMs: milliseconds(Timeout),
    startPeriodMs: milliseconds(StartPeriod),
    retries: positive(Retries),
  }
}

/** Docker counts in nanoseconds; 0 means the default. */
function milliseconds(value: unknown): number | null {
  const nanoseconds = positive(value)
  return nanoseconds === null ? null : nanoseconds / 1_000_000
}

function positive(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null
}

function splitVariable(variable: string): [name: string, value: string] {
  const equals = variable.indexOf('=')
  return equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)]
}

/** null for an empty list too: runtimes do not tell them apart. */
function texts(value: unknown): readonly string[] | null {
  if (!Array.isArray(value)) return null
  const items = value.filter((item): item is string => typeof item === 'string')
  return items.length === 0 ? null : items
}

function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {}
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new Fault('damaged-layer', 'the configuration of the image is not JSON', { cause })
  }
  if (isRecord(value)) return value
  throw new Fault('damaged-layer', 'the configuration of the image is not a JSON object')
}
