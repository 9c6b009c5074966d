import type { CallName, Calls } from '../client/src/index.js'
import { operations } from './api/operations.js'
import { type Cost, noCost } from './core/cost.js'
import { openServices, type ServiceOptions } from './flows/open.js'
import { adminCaller } from './iam/caller.js'
import { capabilities } from './iam/capabilities.js'

export type * from '../client/src/index.js'
export type { Cost } from './core/cost.js'
export { type Digest, isDigest, parseDigest } from './core/digest.js'
export { Fault, type FaultCode, isFault } from './core/fault.js'
export { formatPlatform, type Platform, parsePlatform } from './core/platform.js'
export {
  formatReference,
  parseReference,
  parseTagReference,
  type Reference,
  reference,
  type TagReference,
} from './core/reference.js'
export { version } from './version.js'

/** How a {@link Tidemark} is opened; everything has the default of the commands. */
export interface TidemarkOptions extends Partial<Pick<ServiceOptions, 'environment' | 'clock' | 'random'>> {
  /** `sqlite:PATH` or `postgres://…`; `$TIDEMARK_DATABASE`, else a file in the data folder. */
  readonly database?: string
  /** Path of tidemark.yaml; `$TIDEMARK_CONFIG`, else in the configuration folder, where it may be absent. */
  readonly config?: string
  /** Where `check` keeps digests: `file:PATH`; `check.json` in the data folder by default. */
  readonly digestStore?: string
}

/** How one call goes. */
export interface CallOptions {
  readonly signal?: AbortSignal
  /** Told what is not in the answer: a moment in a gap, a tag that could not be asked. */
  readonly onWarning?: (message: string) => void
  readonly onProgress?: (done: number, of: number) => void
}

/**
 * What the commands do, as functions: `digest`, `check`, `tags`, `watchAdd`, `history` … take and give what the native API
 * does. Each throws a {@link Fault}.
 */
export type Tidemark = {
  readonly [Name in CallName]: (input: Calls[Name]['input'], options?: CallOptions) => Promise<Calls[Name]['output']>
} & {
  /** What all calls so far have cost at registries. */
  readonly cost: Readonly<Cost>
  /** Closes connections and the database. */
  close(): Promise<void>
}

/**
 * Opens Tidemark in this process. Nothing is read, connected or created before a call needs it.
 *
 * @example
 * const tidemark = openTidemark()
 * const { digest } = await tidemark.digest({ reference: 'nginx:1.27' })
 * await tidemark.close()
 */
export function openTidemark(options: TidemarkOptions = {}): Tidemark {
  const services = openServices({ environment: process.env, ...options })
  const cost = noCost()
  const bind =
    <Name extends CallName>(name: Name) =>
    async (input: Calls[Name]['input'], { signal, onWarning, onProgress }: CallOptions = {}) => {
      const caller = adminCaller(capabilities)
      const context = { services, caller, cost, readsLocalSources: true, warn: onWarning ?? (() => undefined) }
      const { body } = await (await operations[name]()).run(input, {
        ...context,
        ...(signal && { signal }),
        ...(onProgress && { onProgress }),
      })
      return body
    }
  const calls = Object.fromEntries((Object.keys(operations) as CallName[]).map((name) => [name, bind(name)]))
  return { ...(calls as Omit<Tidemark, 'cost' | 'close'>), cost, close: () => services.close() }
}
