import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../core/fault.js'
import { Secret } from '../core/secret.js'

/** The file below the data folder that holds the admin token, readable by its owner only. */
export function adminTokenPath(dataFolder: string): string {
  return join(dataFolder, 'admin-token')
}

/**
 * The admin token of this data folder; made at the first start. Two servers that start at once agree on one: the file is
 * written whole under another name and linked into place, which only the first can do.
 * @throws Fault `store-unavailable` when the folder cannot be written
 */
export async function ensureAdminToken(dataFolder: string): Promise<Secret> {
  const path = adminTokenPath(dataFolder)
  const existing = await readAdminToken(dataFolder)
  if (existing !== null) return existing
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await mkdir(dataFolder, { recursive: true, mode: 0o700 })
    await writeFile(draft, `tidemark_${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
    await chmod(draft, 0o600)
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } catch (cause) {
    throw new Fault('store-unavailable', `cannot write the admin token to ${path}`, { cause })
  } finally {
    await rm(draft, { force: true })
  }
  const token = await readAdminToken(dataFolder)
  if (token === null) throw new Fault('store-unavailable', `the admin token in ${path} is empty`)
  return token
}

/** The admin token of this data folder; null when there is none. */
export async function readAdminToken(dataFolder: string): Promise<Secret | null> {
  try {
    const text = (await readFile(adminTokenPath(dataFolder), 'utf8')).trim()
    return text === '' ? null : new Secret(text)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Fault('store-unavailable', `cannot read the admin token in ${adminTokenPath(dataFolder)}`, { cause })
  }
}
