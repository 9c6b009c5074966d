import { Fault, isFault } from '../core/fault.js'
import { isLoopbackHost, parseHost } from '../core/host.js'
import { cacheFolder, dataFolder, type Environment } from '../flows/places.js'
import { readAdminToken } from '../iam/admin-token.js'
import { callServer } from './call-server.js'
import {
  expiryOf,
  type Login,
  listLogins,
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
  const login = await findLogin(addressOf(url), context.environment)
  const kept = login && (await keptToken(login, url, context))
  return kept ?? (await adminTokenFor(url, context.environment))
}

/** A server's address as logins are found by it: its URL without the slash at the end. */
export function addressOf(url: URL): string {
  return url.href.replace(/\/+$/, '')
}

/**
 * Keeps what a server gave at a login: the tokens under the address that it was reached by, and under the names that it says it has
 * only where they are. So no server gets another's tokens by taking its name, and an address has its own login before another's.
 * `owners`: for whom; Chainguard's SDK looks under the audience.
 */
export async function keepLogin(
  login: Login,
  { token, refreshToken }: { token: string; refreshToken: string },
  owners: readonly TokenOwner[],
  { environment }: LoginContext,
): Promise<void> {
  const { server, platform, registry } = login
  const folder = tokenFolder(environment, server)
  await removeTokenFiles(folder)
  await writeTokenFile(folder, 'oidc-token', token)
  if (refreshToken !== '') await writeTokenFile(folder, 'refresh-token', refreshToken)
  if (owners.includes('chainguard'))
    await writeTokenFile(tokenFolder(environment, platform, 'chainguard'), 'oidc-token', token)
  const named = await findLogin(platform, environment)
  const isNamed = named !== null && named.server === platform
  for (const name of isNamed ? [server, registry] : [server, platform, registry])
    await writeTokenFile(tokenFolder(environment, name), 'login.json', JSON.stringify(login))
}

/** The login at that address, or at the server that says this is its platform or registry; null when there is none. */
export async function findLogin(name: string, environment: Environment): Promise<Login | null> {
  const login = parseLogin(await readTokenFile(tokenFolder(environment, name), 'login.json'))
  if (login === null || !namesOf(login).includes(name)) return null
  if (login.server === name) return login
  const current = parseLogin(await readTokenFile(tokenFolder(environment, login.server), 'login.json'))
  return current?.server === login.server && namesOf(current).includes(name) ? current : null
}

/** Every login at the server that has this address, by whatever address: each has tokens of its own. */
export async function loginsAt(address: string, environment: Environment): Promise<readonly Login[]> {
  const all = await listLogins(cacheFolder(environment))
  const platforms = all
    .filter(({ server, platform }) => server === address || platform === address)
    .map(({ platform }) => platform)
  return all.filter(({ platform }) => platforms.includes(platform))
}

function namesOf({ server, platform, registry }: Login): readonly string[] {
  return [server, platform, registry]
}

/** Forgets a login, here. */
export async function forgetLogin(login: Login, environment: Environment): Promise<void> {
  for (const name of namesOf(login)) {
    for (const owner of ['tidemark', 'chainguard'] as const) {
      await removeTokenFiles(tokenFolder(environment, name, owner))
    }
  }
}

/** The kept token of a login, refreshed when it is about to expire; null when the login is over. */
export async function keptToken(login: Login, url: URL, context: LoginContext): Promise<string | null> {
  const { environment, signal } = context
  const folder = tokenFolder(environment, login.server)
  const token = await readTokenFile(folder, 'oidc-token')
  if (token === null) return null
  if (expiryOf(token) - leewayMs > Date.now()) return token
  const refreshToken = await readTokenFile(folder, 'refresh-token')
  if (refreshToken === null) return null
  try {
    const fresh = await callServer('tokenRefresh', { refreshToken }, { url, token: null, signal })
    await writeTokenFile(folder, 'refresh-token', fresh.refreshToken)
    await writeTokenFile(folder, 'oidc-token', fresh.token)
    const theirs = tokenFolder(environment, login.platform, 'chainguard')
    if ((await readTokenFile(theirs, 'oidc-token')) === token) await writeTokenFile(theirs, 'oidc-token', fresh.token)
    return fresh.token
  } catch (error) {
    // The login is over: another way in, or a new login, is the caller's to find.
    if (isFault(error, 'unauthenticated')) return null
    throw error
  }
}
