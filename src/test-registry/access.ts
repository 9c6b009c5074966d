import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../core/clock.js'
import { parseDuration } from '../core/time.js'
import { type Answer, json, ociError, type RegistryRequest } from './answer.js'
import type { Script } from './script.js'

const service = 'tidemark-test-registry'

/** Who may read what: nobody is asked, Basic, or Bearer with a token endpoint at `/token`. */
export class Access {
  readonly #script: Script
  readonly #clock: Clock
  readonly #tokens = new Map<string, { readonly scopes: ReadonlySet<string>; readonly until: number }>()

  constructor(script: Script, clock: Clock) {
    this.#script = script
    this.#clock = clock
  }

  /** The refusal of a request to `name`, or undefined when it may go on. */
  refuse(request: RegistryRequest, name: string | undefined): Answer | undefined {
    const { auth = 'none' } = this.#script
    if (auth === 'none') return undefined
    const authorization = String(request.headers.authorization ?? '')
    if (auth === 'basic') {
      if (this.#isUser(authorization)) return undefined
      return unauthorized(`Basic realm="${service}"`)
    }
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const scope = name === undefined ? '' : `repository:${name}:${isRead ? 'pull' : 'push'}`
    const token = /^bearer (.+)$/i.exec(authorization)?.[1]
    const known = token === undefined ? undefined : this.#tokens.get(token)
    if (known !== undefined && known.until > this.#clock.now() && (scope === '' || known.scopes.has(scope)))
      return undefined
    const reason = token === undefined ? '' : `,error="${known === undefined ? 'invalid_token' : 'insufficient_scope'}"`
    const wanted = scope === '' ? '' : `,scope="repository:${name}:${isRead ? 'pull' : 'pull,push'}"`
    return unauthorized(`Bearer realm="${request.origin}/token",service="${service}"${wanted}${reason}`)
  }

  /** GET `/token`: Docker's token protocol, with Basic credentials where the script names users. */
  token(request: RegistryRequest): Answer {
    const authorization = String(request.headers.authorization ?? '')
    const asksForUser = this.#script.users !== undefined || authorization !== ''
    if (asksForUser && !this.#isUser(authorization)) return ociError(401, 'UNAUTHORIZED', 'wrong user or password')
    const lifetimeMs = parseDuration(this.#script.tokenLifetime ?? '300s')
    const now = this.#clock.now()
    const scopes = new Set(request.query.getAll('scope').flatMap((text) => text.split(' ').flatMap(expandScope)))
    const token = randomBytes(24).toString('base64url')
    this.#tokens.set(token, { scopes, until: now + lifetimeMs })
    const issuedAt = new Date(now).toISOString()
    return json(200, { token, access_token: token, expires_in: Math.round(lifetimeMs / 1000), issued_at: issuedAt })
  }

  #isUser(authorization: string): boolean {
    const encoded = /^basic (.+)$/i.exec(authorization)?.[1]
    if (encoded === undefined) return false
    const text = Buffer.from(encoded, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    const password = this.#script.users?.[text.slice(0, colon)]
    return password !== undefined && isEqual(password, text.slice(colon + 1))
  }
}

/** `repository:a/b:pull,push` as one scope for each action. */
function expandScope(scope: string): string[] {
  const colon = scope.lastIndexOf(':')
  const actions = scope.slice(colon + 1).split(',')
  return actions.map((action) => `${scope.slice(0, colon)}:${action}`)
}

function unauthorized(challenge: string): Answer {
  return ociError(401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': challenge })
}

function isEqual(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}
