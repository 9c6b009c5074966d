import type { IncomingHttpHeaders } from 'node:http'
import type { Secret } from '../../core/secret.js'
import type { PushEvent } from '../../flows/hint.js'
import type { WebhookKindName } from '../../flows/webhook-settings.js'

/** A webhook as it came. */
export interface WebhookRequest {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** What a kind that signs is verified with. */
export interface WebhookProofs {
  /** null: none is configured. */
  readonly secret: Secret | null
  /** @throws Fault `unauthenticated` */
  verifyPubSubToken(token: string): Promise<void>
}

/** What a body says. */
export interface WebhookReading {
  /** null for what is no tag that was pushed or removed: a layer, a pull, a ping. */
  readonly events: readonly (PushEvent | null)[]
  /** What the sender wants to read before it sends anything. */
  readonly answer?: Readonly<Record<string, string>>
}

/** How one kind of registry tells of pushes: a plug-in of this folder, with a line in `list.ts`. */
export interface WebhookKind {
  readonly name: WebhookKindName
  /** Whose product it is, for the OpenAPI document. */
  readonly title: string
  /**
   * Whether the request is the sender's. Left out where the sender signs nothing: then the secret in the path tells.
   * @throws Fault `unauthenticated`
   */
  verify?(request: WebhookRequest, proofs: WebhookProofs): Promise<void>
  /** The JSON of a request; the whole body when left out. */
  jsonOf?(request: WebhookRequest): string
  /** Reads what came, which may be anything that JSON can say. */
  read(payload: unknown, request: WebhookRequest): WebhookReading
  /** CloudEvents' question before the first event, HTTP 1.1 Web Hooks for Event Delivery 1.0 section 4: whether that origin may send. */
  mayAsk?(origin: string): boolean
}
