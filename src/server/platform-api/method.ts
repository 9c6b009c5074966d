import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf'
import type { IamContext } from '../../flows/iam-groups.js'
import type { Services } from '../../flows/open.js'

/** One call of the platform API, whichever way it came. */
export interface PlatformCall extends IamContext {
  readonly services: Services
  /** Aborts when the client goes away or its deadline passes. */
  readonly signal: AbortSignal
  /** The bearer token, as it was shown; null without one. */
  readonly bearer: string | null
  /** Sets a header of the answer. */
  header(name: string, value: string): void
  /** Tells the caller something besides the answer. */
  warn(message: string): void
}

/** Where a call is found over REST: `google.api.http`. */
export interface HttpBinding {
  readonly verb: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** The field that the body fills; `*`: all of the message. Left out: there is none, and parameters fill it. */
  readonly body?: string
}

/** A call of the platform API: one implementation for REST and gRPC. */
export interface PlatformMethod {
  readonly rpc: DescMethodUnary
  readonly http: readonly HttpBinding[]
  /** Whether the token is not ours to judge before the call runs: there is none, or it is of another issuer. */
  readonly isOpen: boolean
  /** Whether it makes tokens, so that one address can ask so often only. */
  readonly isRateLimited: boolean
  run(request: Message, call: PlatformCall): Promise<Message>
}

/** Makes one of a typed implementation. */
export function defineMethod<Input extends DescMessage, Output extends DescMessage>(
  rpc: DescMethodUnary<Input, Output>,
  http: readonly HttpBinding[],
  run: (request: MessageShape<Input>, call: PlatformCall) => Promise<MessageInitShape<Output>>,
  { isOpen = false, isRateLimited = false } = {},
): PlatformMethod {
  return {
    ...{ rpc, http, isOpen, isRateLimited },
    async run(request, call) {
      return create(rpc.output, await run(request as MessageShape<Input>, call))
    },
  }
}
