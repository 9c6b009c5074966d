import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Fault, oneLine } from '../core/fault.js'
import { type AddressPolicy, guardedLookup, isAddress, requireAllowed } from './guard.js'
import { networkFault } from './network-fault.js'
import { connectThrough, proxyFor } from './proxy.js'
import type { TlsOptions } from './tls.js'

/** What a certificate says, and whether we take it. Times are milliseconds since the epoch. */
export interface TlsSession {
  /** `TLSv1.3` */
  readonly protocol: string
  /** The common name, else the first alternative name; empty where it has neither. */
  readonly subject: string
  readonly issuer: string
  /** Null where it does not say. */
  readonly validFrom: number | null
  readonly validUntil: number | null
  /** Why it is not trusted; null when it is. */
  readonly distrust: Distrust | null
}

/** Why a certificate is not trusted. `other`: OpenSSL's own word is in {@link Distrust.said}. */
export interface Distrust {
  readonly kind: 'expired' | 'not-yet-valid' | 'unknown-issuer' | 'wrong-name' | 'other'
  readonly said: string
}

/** Where to, and as whom. */
export interface ConnectionOptions {
  readonly url: URL
  readonly tls: TlsOptions
  readonly policy: AddressPolicy
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal | undefined
}

/**
 * Connects, through the proxy where there is one, tells what TLS came to, and hangs up: nothing is sent over it, so that a
 * certificate which is not trusted can be looked at.
 * @returns null for plain HTTP
 * @throws Fault `unreachable`, `timeout`, `tls` (its data's `plain`: TLS is not spoken there), `forbidden-address`, `cancelled`,
 *   `invalid-config` for a proxy that is none
 */
export async function tryConnection(options: ConnectionOptions): Promise<TlsSession | null> {
  const { url, policy, environment, signal } = options
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isTls = url.protocol === 'https:'
  const port = Number(url.port || (isTls ? 443 : 80))
  const proxy = proxyFor(url, environment)
  if (proxy === null && isAddress(host)) requireAllowed(host, host, policy)
  const target = { host, port, lookup: guardedLookup(proxy === null ? policy : { ...policy, namedBy: 'user' }) }
  const { ca, ...own } = options.tls
  const secure = {
    ...{ ...own, rejectUnauthorized: false },
    ...(ca && { ca: [...ca] }),
    ...(isAddress(host) ? {} : { servername: host }),
  }
  if (!isTls) {
    const plain = connectPlain(proxy === null ? target : { ...target, host: proxy.host, port: proxy.port })
    await ready(plain, 'connect', url.host, signal)
    plain.destroy()
    return null
  }
  const socket =
    proxy === null
      ? connectTls({ ...target, ...secure })
      : await new Promise<Socket>((resolve, reject) => {
          const answer = (error: Error | null, through?: Socket) =>
            through === undefined ? reject(networkFault(error, url.host)) : resolve(through)
          connectThrough(proxy, { host, port }, secure, answer, signal)
        })
  if (proxy === null) await ready(socket, 'secureConnect', url.host, signal)
  const session = readSession(socket as TLSSocket)
  socket.destroy()
  return session
}

function ready(socket: Socket, event: string, host: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => socket.destroy(new Fault('cancelled', 'cancelled', { cause: signal?.reason }))
    const end = () => signal?.removeEventListener('abort', onAbort)
    socket.once(event, () => {
      end()
      resolve()
    })
    socket.on('error', (error) => {
      end()
      reject(networkFault(error, host))
    })
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function readSession(socket: TLSSocket): TlsSession {
  const certificate = socket.getPeerCertificate()
  const { subject, issuer, subjectaltname = '' } = certificate
  return {
    protocol: socket.getProtocol() ?? 'TLS',
    subject: nameOf(subject) || oneLine(subjectaltname.split(', ')[0]?.replace(/^[A-Za-z ]+:/, '') ?? ''),
    issuer: nameOf(issuer),
    validFrom: timeOf(certificate.valid_from),
    validUntil: timeOf(certificate.valid_to),
    distrust: socket.authorized ? null : distrustOf(String(socket.authorizationError)),
  }
}

function timeOf(text: string): number | null {
  const timeMs = Date.parse(text)
  return Number.isNaN(timeMs) ? null : timeMs
}

type Names = Readonly<Record<string, string | string[] | undefined>> | undefined

function nameOf(names: Names): string {
  const name = names?.CN ?? names?.O ?? names?.OU ?? ''
  return oneLine(Array.isArray(name) ? (name[0] ?? '') : name)
}

/** Of Node's codes, which are OpenSSL's names of X509_V_ERR_*. */
function distrustOf(code: string): Distrust {
  const said = oneLine(code)
  if (code === 'CERT_HAS_EXPIRED') return { kind: 'expired', said }
  if (code === 'CERT_NOT_YET_VALID') return { kind: 'not-yet-valid', said }
  if (/ALTNAME_INVALID/.test(code)) return { kind: 'wrong-name', said }
  return { kind: /SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)/.test(code) ? 'unknown-issuer' : 'other', said }
}
