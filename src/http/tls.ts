import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { Fault, oneLine } from '../core/fault.js'

/** Whom to trust, and who we are. Files in PEM. */
export interface TlsSettings {
  /** A file of certificates to trust besides the usual ones. */
  readonly ca?: string | undefined
  readonly clientCert?: string | undefined
  readonly clientKey?: string | undefined
}

/** What a TLS socket takes. Empty where the defaults do. */
export interface TlsOptions {
  readonly ca?: readonly string[]
  readonly cert?: string
  readonly key?: string
}

/**
 * Reads certificates. `SSL_CERT_FILE` and `NODE_EXTRA_CA_CERTS` are added, never put in place of the usual roots: giving
 * Node a `ca` replaces its roots and with them NODE_EXTRA_CA_CERTS, so all three are joined here.
 * @throws Fault `file-unreadable`, `invalid-config`
 */
export function readTlsOptions(
  settings: TlsSettings,
  environment: Readonly<Record<string, string | undefined>>,
): TlsOptions {
  const { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = environment
  const own = [settings.ca, SSL_CERT_FILE].filter((path) => path !== undefined && path !== '') as string[]
  if ((settings.clientCert === undefined) !== (settings.clientKey === undefined)) {
    throw new Fault('invalid-config', 'clientCert and clientKey belong together', {
      fix: 'Give both, or neither.',
    })
  }
  const client =
    settings.clientCert === undefined || settings.clientKey === undefined
      ? {}
      : { cert: readPem(settings.clientCert), key: readPem(settings.clientKey) }
  if (own.length === 0) return client
  const extra = NODE_EXTRA_CA_CERTS ? [NODE_EXTRA_CA_CERTS] : []
  return { ca: [...rootCertificates, ...[...own, ...extra].map(readPem)], ...client }
}

function readPem(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Fault('file-unreadable', `cannot read the certificate file ${oneLine(path)}`, { cause })
  }
  if (!text.includes('-----BEGIN ')) {
    throw new Fault('invalid-config', `${oneLine(path)} is not a PEM file`, {
      fix: 'Give a file that begins with `-----BEGIN`.',
    })
  }
  return text
}
