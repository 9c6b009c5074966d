import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

/** A real OpenID provider on loopback. Anybody logs in under any name, with any password. */
export interface OpenidProvider {
  readonly issuer: string
  /** The claims of those who have others than an e-mail address at example.com. */
  readonly claims: Map<string, Record<string, unknown>>
  close(): Promise<void>
}

/** What it calls Tidemark. `tidemark-desktop` has a secret, which is none. */
export const publicClient = 'tidemark'
export const desktopClient = { id: 'tidemark-desktop', secret: 'told-to-everybody' } as const

/** Starts one. */
export async function startOpenidProvider(): Promise<OpenidProvider> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const claims = new Map<string, Record<string, unknown>>()
  const client = {
    ...{ application_type: 'native', redirect_uris: ['http://127.0.0.1/callback'] },
    ...{ grant_types: ['authorization_code'], response_types: ['code'] },
  }
  const provider = new Provider(issuer, {
    clients: [
      { ...client, client_id: publicClient, token_endpoint_auth_method: 'none' },
      {
        ...{ ...client, client_id: desktopClient.id, client_secret: desktopClient.secret },
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    cookies: { keys: ['of a test'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username', 'groups'] },
    // As most providers do: claims are in the ID token.
    conformIdTokenClaims: false,
    findAccount: async (_, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, email: `${id}@example.com`, email_verified: true, ...claims.get(id) }),
    }),
  })
  server.on('request', provider.callback())
  return {
    issuer,
    claims,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

/**
 * Does in a browser what a person does: follows the address, fills the provider's forms in, and goes where it sends them.
 * @returns what the page at the end says, and where it is
 */
export async function logInAs(name: string, address: string): Promise<{ readonly url: URL; readonly text: string }> {
  const cookies = new Map<string, string>()
  let url = new URL(address)
  let form: URLSearchParams | null = null
  for (let step = 0; step < 20; step++) {
    const response = await fetch(url, {
      method: form === null ? 'GET' : 'POST',
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') },
      ...(form !== null && { body: form }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      cookies.set(key, value)
    }
    const text = await response.text()
    const location = response.headers.get('location')
    form = null
    if (location !== null) {
      url = new URL(location, url)
      continue
    }
    const prompt = /name="prompt" value="(\w+)"/.exec(text)?.[1]
    if (prompt === undefined) return { url, text }
    url = new URL(/<form[^>]* action="([^"]+)"/.exec(text)?.[1] ?? '', url)
    form = new URLSearchParams({ prompt, ...(prompt === 'login' && { login: name, password: 'any' }) })
  }
  throw new Error('the provider leads nowhere')
}
