import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { Fault } from '../core/fault.js'
import type { AdvisoriesSettings } from '../vuln/settings.js'

/** Environment variables, as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The folder of databases, state files and tokens: `$TIDEMARK_HOME`, else `$XDG_DATA_HOME/tidemark`. */
export function dataFolder(environment: Environment): string {
  const home = environment.TIDEMARK_HOME
  if (home) return home
  return join(xdgFolder(environment, 'XDG_DATA_HOME', '.local/share'), 'tidemark')
}

/** The user's cache folder: `$XDG_CACHE_HOME`, else `~/.cache`; on macOS `~/Library/Caches`, as Go's `os.UserCacheDir`. */
export function cacheFolder(environment: Environment): string {
  if (process.platform === 'win32' && environment.LocalAppData) return environment.LocalAppData
  return xdgFolder(environment, 'XDG_CACHE_HOME', process.platform === 'darwin' ? 'Library/Caches' : '.cache')
}

/** Where the snapshot of advisory data lies: `advisories.path`, else `advisories.db` in the data folder. */
export function advisoriesPath(settings: AdvisoriesSettings, folder: string): string {
  return resolve(settings.path ?? join(folder, 'advisories.db'))
}

/**
 * Where tidemark.yaml is read from when nobody names another: `$TIDEMARK_CONFIG`, else
 * `$XDG_CONFIG_HOME/tidemark/tidemark.yaml`. Never the current folder: a pull request could set it.
 */
export function configPath(environment: Environment): { readonly path: string; readonly isNamed: boolean } {
  const named = environment.TIDEMARK_CONFIG
  if (named) return { path: named, isNamed: true }
  const folder = xdgFolder(environment, 'XDG_CONFIG_HOME', '.config')
  return { path: join(folder, 'tidemark', 'tidemark.yaml'), isNamed: false }
}

/** XDG Base Directory Specification 0.8: a relative path in such a variable is to be ignored. */
function xdgFolder(environment: Environment, variable: string, fallback: string): string {
  const folder = environment[variable]
  if (folder && isAbsolute(folder)) return folder
  const home = environment.HOME || homedir()
  if (!home) throw new Fault('store-unavailable', 'there is no home folder', { fix: 'Set TIDEMARK_HOME.' })
  return join(home, fallback)
}
