import type { Host } from '../../core/host.js'
import { objectOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import { type Credential, tokenCredential } from '../credentials/credential.js'
import { readObject, refusal, requireText } from '../credentials/question.js'
import { type FetchedCredential, Renewal } from '../credentials/renewal.js'
import { nextUrl, pathOf } from '../next-link.js'
import type { Call } from '../request.js'
import { apiOf, bearer } from './api.js'
import type { BulkContext, BulkList, DigestList } from './bulk-list.js'
import { assignmentOf, entriesOf, timeOf } from './read-list.js'

/**
 * Docker Hub's own API (docs.docker.com/reference/api/hub/latest, `ListRepositoryTags`). The `digest` of an entry is what the
 * tag points at; those of its `images` are single platforms', and an entry may have nothing else. Public repositories need no
 * credentials; a user with a password or token logs in for a JWT (`AuthCreateAccessToken`).
 */
export const dockerHubList: BulkList = {
  kinds: ['docker-hub'],
  open(context) {
    const tokens = new Renewal(context.clock)
    return {
      async begin({ host, path }, call) {
        const [namespace, name, ...more] = path.split('/')
        if (name === undefined || more.length > 0) return null
        const tags = `/v2/namespaces/${namespace}/repositories/${name}/tags?page_size=${pageSize}`
        const credential = await context.access.credential({ host, path }, call.signal)
        const logIn = (signal: AbortSignal) => fetchToken(host, credential, context, { ...call, signal })
        const token = () => tokens.get(`${host} ${credential.key}`, logIn, call.signal)
        return listOf(tags, apiOf(context, host, usualApi, credential, call), token)
      },
    }
  },
}

const usualApi = 'https://hub.docker.com'
/** The most that the API gives at once. */
const pageSize = 100
/** As the description of `access_token` says. */
const tokenLifetimeMs = 10 * 60_000

function listOf(tags: string, api: ReturnType<typeof apiOf>, logIn: () => Promise<Credential | null>): DigestList {
  return {
    async ask(cursor) {
      const token = await logIn()
      const headers = token?.kind === 'registry-token' ? bearer(token.token.reveal()) : {}
      const response = await api.get(cursor ?? api.path(tags), headers)
      if (response.status === 401) token?.lease?.forget()
      return response
    },
    read(value, response, what) {
      const { results, next } = objectOf(value)
      const entries = entriesOf(results, what).map(objectOf)
      return {
        named: entries.length,
        assignments: entries.flatMap(({ name, digest, tag_last_pushed, last_updated }) =>
          assignmentOf(name, digest, timeOf(tag_last_pushed) ?? timeOf(last_updated)),
        ),
        next: typeof next === 'string' ? pathOf(nextUrl(next, response, what)) : null,
      }
    },
  }
}

/** Null where there is nothing to log in with: docker's identity tokens are not for this API. */
async function fetchToken(
  host: Host,
  credential: Credential,
  context: BulkContext,
  call: Call,
): Promise<FetchedCredential | null> {
  if (credential.kind !== 'password') return null
  const now = context.clock.now()
  const api = apiOf(context, host, usualApi, credential, call)
  const body = JSON.stringify({ identifier: credential.username, secret: credential.password.reveal() })
  const answer = await api.post(
    api.path('/v2/auth/token'),
    { 'content-type': 'application/json' },
    body,
    limits.tokenBytes,
  )
  const who = 'the API of Docker Hub (v2/auth/token)'
  if (answer.status !== 200) {
    const question = { method: 'POST', url: answer.url, to: 'endpoint' } as const
    throw refusal(answer, question, who, '', 'Check the user and the password or access token of docker.io.')
  }
  const token = requireText(readObject(answer, who), 'access_token', who)
  return { credential: tokenCredential('registry-token', token), untilMs: now + tokenLifetimeMs }
}
