import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../../core/fault.js'
import type { Authority } from '../../flows/authority.js'
import type { RegistryTokenRequest } from '../../flows/registry-token.js'
import { createRateLimit, tokenRate } from '../../iam/rate-limit.js'
import { canonicalName } from './name.js'
import { sendOciError } from './oci-error.js'

/** A form holds a token, a few scopes and names; go-containerregistry takes no larger answer either. */
const formBytes = 64 * 1024

/**
 * `GET /token`, docker's token specification, and `POST /token`, its OAuth2 form (distribution v3, "Token Authentication
 * Specification" and "OAuth2 Token Authentication"). Who gets what is the authority's; nothing here but reading what came.
 */
export function addRegistryTokens(app: FastifyInstance, authority: Authority): void {
  const rateLimit = createRateLimit(tokenRate)
  const answer = async (request: FastifyRequest, reply: FastifyReply, asked: RegistryTokenRequest) => {
    rateLimit.take(request.ip, Date.now())
    const body = await authority.registryToken({ ...asked, scopes: asked.scopes.flatMap(canonicalScopes) })
    return await reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(body)))
  }
  void app.register((tokens, _, done) => {
    tokens.setErrorHandler((error, request, reply) => {
      return sendOciError(error, () => 'Basic realm="tidemark"', request, reply)
    })
    tokens.removeAllContentTypeParsers()
    const form = 'application/x-www-form-urlencoded'
    tokens.addContentTypeParser(form, { parseAs: 'string', bodyLimit: formBytes }, (_, body, parsed) => {
      parsed(null, new URLSearchParams(String(body)))
    })
    tokens.get('/token', { schema: { hide: true } }, async (request, reply) => {
      const { url = '' } = request.raw
      const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')
      return await answer(request, reply, { ...readQuestion(query), authorization: request.headers.authorization })
    })
    tokens.post('/token', { schema: { hide: true } }, async (request, reply) => {
      const body = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
      const credentials = readCredentials(body)
      const asked = { ...readQuestion(body), authorization: request.headers.authorization }
      return await answer(request, reply, { ...asked, ...(credentials && { credentials }) })
    })
    tokens.route({
      method: ['PUT', 'PATCH', 'DELETE', 'OPTIONS'],
      url: '/token',
      schema: { hide: true },
      // Before the body: its type may be any.
      onRequest: async (_, reply) => {
        void reply.header('allow', 'GET, POST')
        throw new Fault('read-only', 'tokens are asked for with GET or POST', { fix: 'See docs/identity.md.' })
      },
      handler: async () => {},
    })
    done()
  })
}

/** @throws Fault `invalid-argument` for two services */
function readQuestion(parameters: URLSearchParams): { service?: string; scopes: readonly string[] } {
  const [service, ...others] = parameters.getAll('service')
  if (others.length > 0) {
    throw new Fault('invalid-argument', '`service` is given twice', { fix: 'Ask for one service.' })
  }
  return { ...(service !== undefined && { service }), scopes: parameters.getAll('scope') }
}

/** @throws Fault `invalid-argument` for a grant that is none of ours: clients then come again with GET */
function readCredentials(form: URLSearchParams): RegistryTokenRequest['credentials'] {
  switch (form.get('grant_type')) {
    case 'password':
      return { username: form.get('username') ?? '', password: form.get('password') ?? '' }
    case 'refresh_token':
      return { username: '_token', password: form.get('refresh_token') ?? '' }
    default:
      throw new Fault('invalid-argument', 'grant_type is neither password nor refresh_token')
  }
}

/** Clients make a scope of the name in the URL; a token names a repository as iam does. One parameter may hold several. */
function canonicalScopes(text: string): string[] {
  return text.split(' ').map((scope) => {
    const [, name] = /^repository:([^ ]+):[a-z*,]+$/.exec(scope) ?? []
    return name === undefined ? scope : scope.replace(name, () => canonicalName(name, null))
  })
}
