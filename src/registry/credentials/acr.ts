import { type Host, wireHost } from '../../core/host.js'
import { type EntraToken, wordsOf } from './azure/entra.js'
import { entraToken } from './azure/token.js'
import { type CredentialContext, type CredentialPlugin, tokenCredential } from './credential.js'
import { formQuestion, readObject, refusal, requireText } from './question.js'
import { type FetchedCredential, Renewal } from './renewal.js'
import { requireUrl } from './secret-file.js'

/**
 * Azure Container Registry: a token of Microsoft Entra is exchanged at the registry for its refresh token (Azure/acr,
 * docs/AAD-OAuth.md), which each repository's access token is then asked with as with any identity token.
 */
export const acrCredentials: CredentialPlugin = {
  name: 'Azure Container Registry',
  open(context) {
    const renewal = new Renewal(context.clock)
    return {
      async find({ host }, signal) {
        if (context.kindOf(host) !== 'acr') return null
        return await renewal.get(host, (flight) => fetchRefreshToken(host, context, flight), signal)
      },
    }
  },
}

/** Where the refresh token does not tell when it ends: it lives three hours by Azure's documentation. */
const assumedLifetimeMs = 60 * 60_000

async function fetchRefreshToken(
  host: Host,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<FetchedCredential | null> {
  const entra = await entraToken(authorityOf(host), context, signal)
  if (entra === null) return null
  const token = await exchange(host, entra, context, signal)
  return {
    credential: tokenCredential('identity-token', token, `acr ${host} ${entra.identity}`),
    untilMs: await endOf(token, context.clock.now()),
  }
}

async function exchange(
  host: Host,
  { token, tenant, from }: EntraToken,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<string> {
  const base = requireUrl(context.settingsOf(host).apiUrl ?? `https://${wireHost(host)}`, `registries.${host}.apiUrl`)
  const form = { grant_type: 'access_token', service: host, ...(tenant && { tenant }), access_token: token }
  const question = formQuestion(new URL('/oauth2/exchange', base), form, signal)
  const answer = await context.send(question)
  const who = `${host} (oauth2/exchange, with ${from})`
  if (answer.status !== 200) {
    throw refusal(answer, question, who, wordsOf(answer), `Give the identity the role AcrPull on ${host}.`)
  }
  return requireText(readObject(answer, who), 'refresh_token', who)
}

async function endOf(token: string, nowMs: number): Promise<number> {
  const { decodeJwt } = await import('jose')
  try {
    const { exp } = decodeJwt(token)
    return exp === undefined ? nowMs + assumedLifetimeMs : exp * 1000
  } catch {
    // The registry's token is its own affair: it need not be one that we can read.
    return nowMs + assumedLifetimeMs
  }
}

/** The clouds of China and of the government of the United States log in elsewhere. */
function authorityOf(host: Host): string {
  if (host.endsWith('.azurecr.cn')) return 'https://login.chinacloudapi.cn'
  return host.endsWith('.azurecr.us') ? 'https://login.microsoftonline.us' : 'https://login.microsoftonline.com'
}
