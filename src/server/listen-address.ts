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
export function urlOf({ host, port }: ListenAddress, scheme: 'http' | 'https' = 'http'): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** What a server is called on its three surfaces: `HOST[:PORT]` each. */
export interface ServerNames {
  readonly platform: string
  readonly issuer: string
  readonly registry: string
}

/**
 * Reads `PLATFORM,ISSUER,REGISTRY`.
 * @throws Fault `invalid-argument`
 */
export function parseServerNames(text: string): ServerNames {
  const names = text.split(',').map((name) => name.trim().toLowerCase())
  const [platform, issuer, registry] = names
  const isName = (name: string) => /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?$/.test(name)
  if (names.length === 3 && names.every(isName) && platform && issuer && registry) return { platform, issuer, registry }
  throw new Fault('invalid-argument', `not the three names of a server: '${oneLine(text.slice(0, 200))}'`, {
    fix: 'Write PLATFORM,ISSUER,REGISTRY, for example console-api.enforce.dev,issuer.enforce.dev,cgr.dev.',
  })
}
