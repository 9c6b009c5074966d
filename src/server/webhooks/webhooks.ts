import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { problem } from '../../api/schemas.js'
import { Fault } from '../../core/fault.js'
import { limits } from '../../core/limits.js'
import type { Config } from '../../flows/config.js'
import { createHinter, type HintOutcome } from '../../flows/hint.js'
import type { Services } from '../../flows/open.js'
import type { Watcher } from '../../flows/watcher.js'
import type { WebhookKindName } from '../../flows/webhook-settings.js'
import { createWebhookTrust } from '../../flows/webhook-trust.js'
import { createRateLimit, type RateLimitOptions } from '../../iam/rate-limit.js'
import { hashSecret, isSameHash } from '../../iam/secrets.js'
import { isForLoopback } from '../host-of.js'
import { webhookKinds } from './list.js'
import type { WebhookKind, WebhookReading, WebhookRequest } from './webhook-kind.js'

/** What became of what webhooks said; `ignored`: it was about no tag that was pushed or removed. */
export type WebhookOutcome = HintOutcome | 'ignored'

/** The webhooks of registries: their secrets, what they have said, where it goes. */
export interface Webhooks {
  /** Reads secrets and other names of hosts again. @throws Fault `file-unreadable`, `invalid-config`; then nothing is changed */
  configure(config: Config): Promise<void>
  /** How many events came to what, by kind. */
  readonly counts: ReadonlyMap<WebhookKindName, ReadonlyMap<WebhookOutcome, number>>
  /** @throws Fault `unauthenticated`, `rate-limited`, `invalid-argument`, and what the store throws */
  take(
    kind: WebhookKind,
    request: WebhookRequest,
  ): Promise<WebhookReading & { readonly outcomes: readonly WebhookOutcome[] }>
  /** Whether `secret` is the one of an unsigned kind; null where none is configured. */
  knows(kind: WebhookKind, secret: string): boolean | null
  close(): Promise<void>
}

const fix =
  'Let the registry send pushes and removals only; `ignore` of the distribution registry leaves out layers and pulls.'
/** For each kind: a build that pushes hundreds of tags at once is taken, and a registry that has a push every other second all day. */
const webhookRate: RateLimitOptions = { burst: 600, perMinute: 1_200, of: { what: 'webhooks of this kind', fix } }
/** For each address whose secret was wrong: nobody guesses 16 characters, and nobody fills the log. */
const guessRate: RateLimitOptions = { burst: 60, perMinute: 60, of: { what: 'webhooks with a wrong secret', fix } }

/** See {@link Webhooks}. `watcher` null: no process watches here. */
export function createWebhooks(services: Services, watcher: Pick<Watcher, 'hint'> | null): Webhooks {
  const hinter = createHinter(services, watcher)
  const trust = createWebhookTrust(services)
  const rateLimit = createRateLimit(webhookRate)
  const counts = new Map<WebhookKindName, Map<WebhookOutcome, number>>()
  const count = (kind: WebhookKindName, outcome: WebhookOutcome) => {
    const ofKind = counts.get(kind) ?? new Map<WebhookOutcome, number>()
    counts.set(kind, ofKind.set(outcome, (ofKind.get(outcome) ?? 0) + 1))
    return outcome
  }
  return {
    counts,
    async configure(config) {
      const takeUp = await trust.read(config)
      hinter.configure(config)
      takeUp()
    },
    async take(kind, request) {
      await kind.verify?.(request, { secret: trust.secretOf(kind.name), verifyPubSubToken: trust.verifyPubSubToken })
      rateLimit.take(kind.name, services.clock.now())
      const reading = kind.read(parse(kind, request), request)
      const events = reading.events.filter((event) => event !== null)
      const told = await hinter.hint(events.slice(0, limits.webhookEvents))
      const beyond = events.slice(limits.webhookEvents).map(() => 'full' as const)
      const ignored = reading.events.filter((event) => event === null).map(() => 'ignored' as const)
      const outcomes = [...told, ...beyond, ...ignored].map((outcome) => count(kind.name, outcome))
      return { ...reading, outcomes }
    },
    knows(kind, secret) {
      const configured = trust.secretOf(kind.name)
      return configured === null ? null : isSameHash(hashSecret(secret), hashSecret(configured.reveal()))
    },
    close: () => trust.close(),
  }
}

function parse(kind: WebhookKind, request: WebhookRequest): unknown {
  try {
    return JSON.parse(kind.jsonOf?.(request) ?? request.body.toString('utf8')) as unknown
  } catch (cause) {
    throw new Fault('invalid-argument', `the body is not the JSON of ${kind.title}`, { cause })
  }
}

const params = {
  kind: Type.String({ description: `who sends: ${webhookKinds.map(({ name }) => name).join(', ')}` }),
  secret: Type.String({ description: 'the secret of a kind that does not sign; or as `Authorization: Bearer SECRET`' }),
}
const answered = Type.Object(
  {
    events: Type.Integer({ description: 'things that the body told of' }),
    taken: Type.Integer({ description: 'those that a watched tag is looked at for' }),
  },
  { description: 'what becomes of it' },
)

type Params = { readonly kind: string; readonly secret?: string }

/** `POST /api/v1/webhooks/KIND[/SECRET]`: registries tell of pushes here. */
export function addWebhooks(app: FastifyInstance, webhooks: Webhooks, { isLoopback }: { isLoopback: boolean }): void {
  const guesses = createRateLimit(guessRate)
  app.addHook('onClose', () => webhooks.close())
  const admit = async (request: FastifyRequest) => {
    const kind = kindOf(request)
    if (kind.verify === undefined) admitBySecret(request, kind, webhooks, isLoopback, guesses)
  }
  void app.register((scope, _, done) => {
    // The signature is over the bytes, and registries name types of their own.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: limits.webhookBytes }, (_, body, parsed) => {
      parsed(null, body)
    })
    for (const [url, operationId] of [
      ['/api/v1/webhooks/:kind', 'webhook'],
      ['/api/v1/webhooks/:kind/:secret', 'webhookWithSecret'],
    ] as const) {
      const { secret, ...named } = params
      scope.route({
        ...{ method: 'POST', url, bodyLimit: limits.webhookBytes, onRequest: admit },
        schema: {
          ...{
            operationId,
            summary: 'What a registry tells of a push: a hint to look, never a fact',
            tags: ['webhooks'],
          },
          params: Type.Object(url.endsWith('secret') ? { ...named, secret } : named),
          body: Type.Unknown({ description: 'as the kind sends it' }),
          response: {
            202: answered,
            200: Type.Object({ validationResponse: Type.String() }, { description: 'the handshake of Event Grid' }),
            default: { description: 'what went wrong', ...problem },
          },
        },
        handler: (request, reply) => take(request, reply, webhooks, guesses),
      })
      const preflight = async (request: FastifyRequest, reply: FastifyReply) => allow(request, reply, kindOf(request))
      scope.route({ method: 'OPTIONS', url, schema: { hide: true }, onRequest: admit, handler: preflight })
    }
    done()
  })
}

async function take(
  request: FastifyRequest,
  reply: FastifyReply,
  webhooks: Webhooks,
  guesses: ReturnType<typeof createRateLimit>,
): Promise<FastifyReply> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  try {
    const { answer, outcomes } = await webhooks.take(kindOf(request), { headers: request.headers, body })
    if (answer !== undefined) return await reply.code(200).send(answer)
    const taken = outcomes.filter((outcome) => outcome === 'taken' || outcome === 'handed-over' || outcome === 'joined')
    return await reply.code(202).send({ events: outcomes.length, taken: taken.length })
  } catch (error) {
    if (error instanceof Fault && error.code === 'unauthenticated') guesses.take(request.ip, Date.now())
    throw error
  }
}

function kindOf(request: FastifyRequest): WebhookKind {
  const { kind: name } = request.params as Params
  const kind = webhookKinds.find((known) => known.name === name)
  if (kind !== undefined) return kind
  throw new Fault('route-not-found', 'there are no webhooks of that kind', {
    fix: `The kinds are ${webhookKinds.map(({ name }) => name).join(', ')}.`,
  })
}

/** An unsigned sender shows a secret: in the path, because some can do nothing else, or as a bearer. Without one only this machine is heard. */
function admitBySecret(
  request: FastifyRequest,
  kind: WebhookKind,
  webhooks: Webhooks,
  isLoopback: boolean,
  guesses: ReturnType<typeof createRateLimit>,
): void {
  const { secret } = request.params as Params
  const shown = secret ?? /^(?:Bearer )?(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const isKnown = webhooks.knows(kind, shown)
  if (isKnown === true || (isKnown === null && isLoopback && isForLoopback(request))) return
  guesses.take(request.ip, Date.now())
  const message = isKnown === null ? `no secret is configured for webhooks of ${kind.name}` : 'that is not the secret'
  throw new Fault('unauthenticated', message, {
    fix: `Set \`webhooks.${kind.name}.secretFile\` of the configuration, and put the secret behind the path.`,
  })
}

function allow(request: FastifyRequest, reply: FastifyReply, kind: WebhookKind): FastifyReply {
  const origin = request.headers['webhook-request-origin']
  if (typeof origin !== 'string' || kind.mayAsk?.(origin) !== true) {
    throw new Fault('forbidden', `webhooks of ${kind.name} do not come from there`)
  }
  const rate = String(webhookRate.perMinute)
  return reply
    .headers({ allow: 'POST, OPTIONS', 'webhook-allowed-origin': origin, 'webhook-allowed-rate': rate })
    .code(200)
    .send()
}
