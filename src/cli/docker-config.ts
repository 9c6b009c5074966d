import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../core/fault.js'
import type { Environment } from '../flows/places.js'
import { writePrivate } from './token-files.js'

/** `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
export function dockerConfigPath({ DOCKER_CONFIG, HOME }: Environment): string {
  return join(DOCKER_CONFIG || join(HOME || homedir(), '.docker'), 'config.json')
}

/**
 * Sets one entry of docker's configuration: the helper that answers for a registry, or a name and password for it. The rest
 * stays as it was.
 * @throws Fault `file-unreadable` for one that is not JSON: it is not written over
 */
export async function configureDocker(
  path: string,
  registry: string,
  entry: { readonly helper: string } | { readonly username: string; readonly password: string },
): Promise<void> {
  const config = await readConfig(path)
  const part = (key: string) => {
    const value = config[key]
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  }
  const { [registry]: _helper, ...helpers } = part('credHelpers')
  const { [registry]: _auth, ...auths } = part('auths')
  const changed =
    'helper' in entry
      ? { ...config, auths, credHelpers: { ...helpers, [registry]: entry.helper } }
      : { ...config, credHelpers: helpers, auths: { ...auths, [registry]: { auth: encode(entry) } } }
  await writePrivate(path, `${JSON.stringify(changed, null, 2)}\n`)
}

async function readConfig(path: string): Promise<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new Fault('file-unreadable', `cannot read ${path}`, { cause })
  }
  throw new Fault('file-unreadable', `${path} is no docker configuration`)
}

function encode({ username, password }: { username: string; password: string }): string {
  return Buffer.from(`${username}:${password}`).toString('base64')
}
