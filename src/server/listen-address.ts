import { isIP } from 'node:net'
import { Fault, oneLine } from '../core/fault.js'
import { zoneOf } from '../http/guard.js'

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/**
 * Reads `HOST:PORT`, `:PORT` (all addresses) or `PORT` (loopback). Port 0 takes any free one.
 * @throws Fault `invalid-argument`
 */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, name, port = ''] = /^(?:\[([^\]]+)\]:|([^:[\]]*):)?(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? name
  if (port === '' || Number(port) > 65_535 || (bracketed !== undefined && isIP(bracketed) !== 6)) {
    throw new Fault('invalid-argument', `not an address to listen on: '${oneLine(text.slice(0, 80))}'`, {
      fix: 'Write HOST:PORT, for example 127.0.0.1:7070.',
    })
  }
  return { host: host === undefined ? '127.0.0.1' : host === '' ? '0.0.0.0' : host, port: Number(port) }
}

/** Whether only this machine can reach the address. */
export function isLoopbackAddress({ host }: ListenAddress): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && zoneOf(host) === 'loopback')
}

/** `http://127.0.0.1:7070` */
export function urlOf({ host, port }: ListenAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
