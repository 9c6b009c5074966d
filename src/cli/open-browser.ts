import { spawn } from 'node:child_process'
import type { Environment } from '../flows/places.js'

/**
 * Asks the system to show `address` in a browser. True where it was asked; whether a browser comes up nobody can tell, which is why
 * the address is printed too.
 */
export function openBrowser(address: string, environment: Environment): boolean {
  const opener = openerOf(process.platform, environment)
  if (opener === null) return false
  const [program, ...args] = opener
  const child = spawn(program, [...args, address], { detached: true, stdio: 'ignore' })
  child.on('error', () => undefined)
  child.unref()
  return true
}

/** Null on a machine without a screen. */
function openerOf(platform: NodeJS.Platform, environment: Environment): readonly [string, ...string[]] | null {
  if (platform === 'darwin') return ['open']
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  return environment.DISPLAY || environment.WAYLAND_DISPLAY ? ['xdg-open'] : null
}
