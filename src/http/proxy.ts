import { request } from 'node:http'
import type { Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { Fault, oneLine } from '../core/fault.js'

/** A proxy, with its credentials as an `Authorization` value. */
export interface HttpProxy {
  readonly host: string
  readonly port: number
  readonly authorization: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The proxy for `url` by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (the lower-case names win, as in curl); null
 * when it is spoken to directly. Loopback is never proxied.
 * @throws Fault `invalid-config` for a variable that is no http:// URL
 */
export function proxyFor(url: URL, environment: Environment): HttpProxy | null {
  const read = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const value = read(name) ?? read('ALL_PROXY')
  if (value === undefined || isExempt(url, read('NO_PROXY') ?? '')) return null
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  const proxy = URL.canParse(text) ? new URL(text) : null
  if (proxy === null || proxy.protocol !== 'http:') {
    throw new Fault('invalid-config', `${name} is not the URL of an HTTP proxy`, {
      fix: `Write it as http://HOST:PORT, or unset ${name}.`,
    })
  }
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  return {
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: Number(proxy.port || 80),
    authorization: user === ':' ? undefined : `Basic ${Buffer.from(user).toString('base64')}`,
  }
}

function isExempt(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  if (host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\./.test(host)) return true
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true
      const [, name = '', entryPort] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? []
      if (entryPort !== undefined && entryPort !== port) return false
      const bare = name.replace(/^\*?\./, '')
      return host === bare || host.endsWith(`.${bare}`)
    })
}

/**
 * Opens a TLS connection to `target` through a proxy's CONNECT (RFC 9110 section 9.3.6). The name is resolved by the proxy, so
 * what it may reach is the proxy's to decide.
 */
export function connectThrough(
  proxy: HttpProxy,
  target: { readonly host: string; readonly port: number },
  options: ConnectionOptions,
  callback: (error: Error | null, socket?: Socket) => void,
  signal?: AbortSignal,
): void {
  const authority = `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`
  const connect = request({
    method: 'CONNECT',
    host: proxy.host,
    port: proxy.port,
    path: authority,
    agent: false,
    timeout: 10_000,
    ...(signal && { signal }),
    headers: { host: authority, ...(proxy.authorization && { 'proxy-authorization': proxy.authorization }) },
  })
  connect.on('timeout', () => connect.destroy(new Fault('timeout', `the proxy ${proxy.host} does not answer`)))
  connect.on('error', (cause) => {
    callback(
      cause instanceof Fault ? cause : new Fault('unreachable', `no connection to the proxy ${proxy.host}`, { cause }),
    )
  })
  connect.on('connect', (response, socket) => {
    if (response.statusCode !== 200) {
      socket.destroy()
      const answer = `${response.statusCode} ${oneLine(response.statusMessage ?? '')}`
      callback(new Fault('unreachable', `the proxy ${proxy.host} refuses ${authority}: ${answer}`))
      return
    }
    const secured = connectTls({ ...options, socket, host: target.host })
    const onAbort = () => secured.destroy(new Fault('cancelled', 'cancelled', { cause: signal?.reason }))
    signal?.addEventListener('abort', onAbort, { once: true })
    secured.once('close', () => signal?.removeEventListener('abort', onAbort))
    secured.once('secureConnect', () => {
      secured.removeListener('error', onError)
      callback(null, secured)
    })
    const onError = (error: Error) => callback(error)
    secured.once('error', onError)
  })
  connect.end()
}
