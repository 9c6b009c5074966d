import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault } from '../core/fault.js'
import { cacheFolder, type Environment } from '../flows/places.js'

/** A login, as it is kept under each name of its server: where to ask, and for which audiences. */
export interface Login {
  /** The address that the server was reached by: its tokens lie under this name. */
  readonly server: string
  readonly platform: string
  readonly registry: string
}

/** Under whose name tokens lie: ours, or Chainguard's, where its SDK looks for them. */
export type TokenOwner = 'tidemark' | 'chainguard'

/**
 * The folder of the tokens under a name, which is a server's address or an audience: `<cache dir>/tidemark/<name with / as ->`,
 * Chainguard's layout (sdk v0.1.20 `auth/token/token.go`). On Windows `:` becomes `-` too.
 */
export function tokenFolder(environment: Environment, name: string, owner: TokenOwner = 'tidemark'): string {
  const step = name.replace(process.platform === 'win32' ? /[/:\\]/g : /\//g, '-')
  return join(cacheFolder(environment), owner, step === '..' || step === '.' ? '-' : step)
}

/** A file of that folder; null when it is not there. @throws Fault `file-unreadable` */
export async function readTokenFile(folder: string, name: TokenFile): Promise<string | null> {
  try {
    return (await readFile(join(folder, name), 'utf8')).trim()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Fault('file-unreadable', `cannot read ${join(folder, name)}`, { cause })
  }
}

/** `oidc-token`: a signed token; `refresh-token`: good once; `login.json`: a {@link Login}. */
export type TokenFile = 'oidc-token' | 'refresh-token' | 'login.json'

/** Writes a file that only its owner can read, whole or not at all. @throws Fault `file-unreadable` */
export async function writeTokenFile(folder: string, name: TokenFile, text: string): Promise<void> {
  await writePrivate(join(folder, name), text)
}

/** Writes a file that only its owner can read, whole or not at all. @throws Fault `file-unreadable` */
export async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true })
    throw new Fault('file-unreadable', `cannot write ${path}`, { cause })
  }
}

/** Forgets the tokens and the login of a folder. */
export async function removeTokenFiles(folder: string): Promise<void> {
  for (const name of ['oidc-token', 'refresh-token', 'login.json'] as const)
    await rm(join(folder, name), { force: true })
}

/** When a signed token expires, in milliseconds since the epoch, as it says itself; 0 for a text that is none. */
export function expiryOf(token: string): number {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    const { exp } = payload as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1000 : 0
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return 0
    throw error
  }
}

/** Every login that is kept, once. */
export async function listLogins(cache: string): Promise<readonly Login[]> {
  const logins = new Map<string, Login>()
  const folders = await readdir(join(cache, 'tidemark')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const folder of folders) {
    const login = parseLogin(await readTokenFile(join(cache, 'tidemark', folder), 'login.json'))
    if (login !== null) logins.set(JSON.stringify(login), login)
  }
  return [...logins.values()]
}

/** A login as it was kept; null for anything else. */
export function parseLogin(text: string | null): Login | null {
  if (text === null) return null
  try {
    const { server, platform, registry } = JSON.parse(text) as Partial<Login>
    if (typeof server !== 'string' || typeof platform !== 'string' || typeof registry !== 'string') return null
    return { server, platform, registry }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null
    throw error
  }
}
