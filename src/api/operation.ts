import type { CallName, Calls } from '../../client/src/index.js'
import type { Cost } from '../core/cost.js'
import type { JudgeDocuments } from '../flows/advisory-data.js'
import type { Services } from '../flows/open.js'
import type { Caller } from '../iam/caller.js'
import type { Capability } from '../iam/capabilities.js'

/** What an operation runs with. */
export interface OperationContext {
  readonly services: Services
  /** Who asks: on a server whoever sent the request; here the owner of the database. */
  readonly caller: Caller
  readonly signal?: AbortSignal
  /** Counts what the operation asks of registries. */
  readonly cost: Cost
  /** Says something that is not in the body: on stderr, or in a `Warning` header. */
  warn(message: string): void
  /** Whether sources that lie on this machine may be read: not on a server, whose disk is nobody's business. */
  readonly readsLocalSources?: boolean
  /** Files of this machine that findings are held against: commands that run here only. */
  readonly documents?: JudgeDocuments
  /** Told how far the operation is, where it takes long. */
  onProgress?(done: number, of: number): void
  /** Given lists page by page instead of whole, so that memory does not grow with them; the body's list is then empty. */
  onPage?(items: readonly string[]): Promise<void>
}

/** What an operation gives: the body of the API, equal to the command's `-o json`. */
export interface OperationResult<Body> {
  readonly body: Body
  /** The cursor of the next page. */
  readonly next?: string | null
}

/**
 * One call of the native API without a transport: commands run it here, the server makes a route of it. Its schemas are in
 * operation-schemas.ts: a command that runs here has parsed its arguments, and need not load them.
 */
export interface Operation<Name extends CallName = CallName> {
  readonly name: Name
  /** One line, for OpenAPI. */
  readonly summary: string
  /** What the caller must be allowed to do; or that it is enough to be signed in, or that everybody may ask. */
  readonly capability: Capability | 'signed-in' | 'anyone'
  /**
   * What it must be allowed on. Left out: on the organization `default`, where references live; whoever runs the operation has
   * seen to that. `input`: on what the input names; `run` asks the authority itself.
   */
  readonly on?: 'input'
  /** Whether it makes tokens: then one address may do so only so often. */
  readonly isRateLimited?: true
  run(input: Calls[Name]['input'], context: OperationContext): Promise<OperationResult<Calls[Name]['output']>>
}
