import { Fault, isFault } from '../core/fault.js'
import { isLoopbackHost, parseHost } from '../core/host.js'
import { dataFolder, type Environment } from '../flows/places.js'
import { readAdminToken } from '../iam/admin-token.js'
import { callServer } from './call-server.js'
import {
  expiryOf,
  type Login,
  parseLogin,
  readTokenFile,
  removeTokenFiles,
  type TokenOwner,
  tokenFolder,
  writeTokenFile,
} from './token-files.js'

/** A token that ends within this time is not used any more. */
const leewayMs = 60_000

/** What a login is done with. */
interface LoginContext {
  readonly environment: Environment
  readonly signal: AbortSignal
}

/** `$TIDEMARK_TOKEN`. @throws Fault `invalid-argument` for one that no header may hold */
export function tokenOfEnvironment({ TIDEMARK_TOKEN }: Environment): string | null {
  if (TIDEMARK_TOKEN && !/^[\x21-\x7e]+$/.test(TIDEMARK_TOKEN)) {
    throw new Fault('invalid-argument', 'TIDEMARK_TOKEN is no token: it holds a space, or what no header may hold')
  }
  return TIDEMARK_TOKEN || null
}

/** The admin token of this machine, which goes to no other. */
export async function adminTokenFor(url: URL, environment: Environment): Promise<string | null> {
  if (!isLoopbackHost(parseHost(url.host))) return null
  return (await readAdminToken(dataFolder(environment)))?.reveal() ?? null
}

/** What a call to `url` is made with: `$TIDEMARK_TOKEN`, else what `auth login` left, else the admin token of this machine. */
export async function tokenFor(url: URL, context: LoginContext): Promise<string | null> {
  const given = tokenOfEnvironment(context.environment)
  if (given !== null) return given
  const audience = url.href.replace(/\/+$/, '')
  const kept = await keptToken(audience, url, context)
  return kept ?? (await adminTokenFor(url, context.environment))
}

/** Keeps what a server gave at a login. `owners`: under whose names; Chainguard's SDK reads its own. */
export async function keepLogin(
  login: Login,
  { token, refreshToken }: { token: string; refreshToken: string },
  owners: readonly TokenOwner[],
  { environment }: LoginContext,
): Promise<void> {
  for (const owner of owners) await writeTokenFile(tokenFolder(environment, login.platform, owner), 'oidc-token', token)
  const folder = tokenFolder(environment, login.platform)
  if (refreshToken !== '') await writeTokenFile(folder, 'refresh-token', refreshToken)
  await writeTokenFile(folder, 'login.json', JSON.stringify(login))
  await writeTokenFile(tokenFolder(environment, login.registry), 'login.json', JSON.stringify(login))
}

/** The login whose platform or registry has that name; null when there is none. */
export async function findLogin(audience: string, environment: Environment): Promise<Login | null> {
  return parseLogin(await readTokenFile(tokenFolder(environment, audience), 'login.json'))
}

/** Forgets a login, here. */
export async function forgetLogin({ platform, registry }: Login, environment: Environment): Promise<void> {
  for (const audience of [platform, registry]) {
    for (const owner of ['tidemark', 'chainguard'] as const) {
      await removeTokenFiles(tokenFolder(environment, audience, owner))
    }
  }
}

/** The kept token of the platform audience, refreshed when it is about to expire; null when nobody logged in. */
export async function keptToken(audience: string, url: URL, context: LoginContext): Promise<string | null> {
  const { environment, signal } = context
  const folder = tokenFolder(environment, audience)
  const token = await readTokenFile(folder, 'oidc-token')
  if (token === null) return null
  if (expiryOf(token) - leewayMs > Date.now()) return token
  const refreshToken = await readTokenFile(folder, 'refresh-token')
  if (refreshToken === null) return null
  try {
    const fresh = await callServer('tokenRefresh', { refreshToken }, { url, token: null, signal })
    await writeTokenFile(folder, 'refresh-token', fresh.refreshToken)
    await writeTokenFile(folder, 'oidc-token', fresh.token)
    const theirs = tokenFolder(environment, audience, 'chainguard')
    if ((await readTokenFile(theirs, 'oidc-token')) !== null) await writeTokenFile(theirs, 'oidc-token', fresh.token)
    return fresh.token
  } catch (error) {
    // The login is over: another way in, or a new login, is the caller's to find.
    if (isFault(error, 'unauthenticated')) return null
    throw error
  }
}
