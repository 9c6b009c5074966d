import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as oidc from 'openid-client'
import type { SignInOptions } from '../../client/src/index.js'
import { Fault, isFault, oneLine } from '../core/fault.js'
import { issuerUrl } from '../flows/issuer-keys.js'

/** How a login is done. */
export interface SignInCall {
  readonly signal: AbortSignal
  /** Where the provider sends the browser back to: 0 for any free port. */
  readonly port: number
  /** Told where the browser has to go. */
  onAddress(address: string): void
  /** How long somebody may take; 5 minutes when left out. */
  readonly timeoutMs?: number
}

const defaultTimeoutMs = 5 * 60_000
const callbackPath = '/callback'
/** Beyond it the provider hangs. */
const requestTimeoutS = 30

/**
 * Signs in at an OpenID provider: authorization code with PKCE (RFC 7636), sent back to loopback (RFC 8252 section 7.3). `state`,
 * `nonce` and `iss` (RFC 9207) of what comes back are compared.
 * @returns the ID token, for the server to verify
 * @throws Fault `unauthenticated` where the provider refuses, `timeout`, `cancelled`, `address-in-use`, `unreachable`,
 *   `broken-answer`
 */
export async function signInAtProvider(
  provider: NonNullable<SignInOptions['oidc']>,
  { signal, port, onAddress, timeoutMs = defaultTimeoutMs }: SignInCall,
): Promise<string> {
  const tooLate = AbortSignal.timeout(timeoutMs)
  const ended = AbortSignal.any([signal, tooLate])
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()]
  const waiting = await waitForCallback(port, expectedState, ended)
  try {
    const configuration = await discover(provider, ended)
    const address = oidc.buildAuthorizationUrl(configuration, {
      ...{ redirect_uri: waiting.redirectUri, scope: provider.scopes.join(' ') },
      ...{ state: expectedState, nonce: expectedNonce },
      ...{ code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256' },
    })
    onAddress(address.href)
    const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
    const { id_token: idToken } = await oidc.authorizationCodeGrant(configuration, await waiting.callback, checks)
    if (idToken === undefined) throw new Fault('broken-answer', 'the provider gave no ID token')
    return idToken
  } catch (error) {
    if (isFault(error)) throw error
    if (signal.aborted) throw new Fault('cancelled', 'cancelled', { cause: error })
    if (tooLate.aborted) {
      const fix = 'Run `tidemark auth login` again, and finish in the browser.'
      throw new Fault('timeout', `nobody logged in within ${Math.round(timeoutMs / 1000)} s`, { cause: error, fix })
    }
    throw faultOf(error, provider.issuer)
  } finally {
    waiting.close()
  }
}

async function discover(
  { issuer, clientId, clientSecret }: NonNullable<SignInOptions['oidc']>,
  signal: AbortSignal,
): Promise<oidc.Configuration> {
  const url = issuerUrl(issuer)
  const authentication = clientSecret === null ? oidc.None() : oidc.ClientSecretPost(clientSecret)
  return await oidc.discovery(url, clientId, undefined, authentication, {
    // Only where `issuerUrl` takes it: on this machine.
    ...(url.protocol === 'http:' && { execute: [oidc.allowInsecureRequests] }),
    timeout: requestTimeoutS,
    [oidc.customFetch]: async (address, options) => {
      const own = options.signal === undefined ? signal : AbortSignal.any([signal, options.signal])
      return await fetch(address, { ...options, signal: own } as RequestInit)
    },
  })
}

interface Waiting {
  readonly redirectUri: string
  /** What the browser came back with. */
  readonly callback: Promise<URL>
  close(): void
}

/** Waits for the browser on loopback. What does not know `state` is no answer, and does not end the waiting. */
async function waitForCallback(port: number, state: string, ended: AbortSignal): Promise<Waiting> {
  let settle: { resolve(url: URL): void; reject(reason: unknown): void } | undefined
  const callback = new Promise<URL>((resolve, reject) => {
    settle = { resolve, reject }
  })
  callback.catch(() => undefined)
  const onEnd = () => settle?.reject(ended.reason)
  ended.addEventListener('abort', onEnd, { once: true })
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    const url = new URL(request.url ?? '/', redirectUri)
    const isAnswer =
      request.method === 'GET' && url.pathname === callbackPath && url.searchParams.get('state') === state
    const text = isAnswer ? 'Back to the terminal: this window can be closed.' : 'This is not the answer to a login.'
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', connection: 'close' }
    response.writeHead(isAnswer ? 200 : 400, { ...headers, 'referrer-policy': 'no-referrer' }).end(`${text}\n`)
    if (isAnswer) settle?.resolve(url)
  })
  await listen(server, port)
  const redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}${callbackPath}`
  if (ended.aborted) onEnd()
  return {
    redirectUri,
    callback,
    close() {
      ended.removeEventListener('abort', onEnd)
      server.close()
      // The last answer may still be on its way to the browser.
      server.closeIdleConnections()
    },
  }
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const fix = 'Give another one with --callback-port.'
      reject(new Fault('address-in-use', `cannot listen on 127.0.0.1:${port}`, { cause, fix }))
    })
    server.listen(port, '127.0.0.1', resolve)
  })
}

function faultOf(error: unknown, issuer: string): Fault {
  if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError) {
    const why = oneLine(error.error_description ?? error.error).slice(0, 200)
    return new Fault('unauthenticated', `${issuer} refused the login: ${why}`, {
      cause: error,
      fix: 'Ask whoever runs the provider whether you may use this client.',
    })
  }
  const isNetwork = error instanceof TypeError && error.cause instanceof Error
  const why = error instanceof Error ? oneLine(isNetwork ? (error.cause as Error).message : error.message) : ''
  const code = isNetwork ? 'unreachable' : 'broken-answer'
  return new Fault(code, `the login at ${issuer} failed: ${why.slice(0, 200)}`, {
    cause: error,
    fix: 'Check auth.oidc.issuer in the configuration of the server, and that this machine reaches it.',
  })
}
