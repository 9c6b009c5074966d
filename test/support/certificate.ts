import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'

/** Makes a certificate for `hosts` that signs itself, `NAME.crt` and `NAME.key` in `folder`. Needs openssl on PATH. */
export function makeCertificate(
  folder: string,
  name: string,
  ...hosts: readonly string[]
): { cert: string; key: string } {
  return makeCertificateFor(2, folder, name, ...hosts)
}

/** As {@link makeCertificate}, good for so many days; -1 for one that ended yesterday. */
export function makeCertificateFor(
  days: number,
  folder: string,
  name: string,
  ...hosts: readonly string[]
): { cert: string; key: string } {
  const file = (ending: string) => join(folder, `${name}.${ending}`)
  const [cert, key, request, extensions] = [file('crt'), file('key'), file('csr'), file('ext')]
  const names = hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`).join(',')
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  writeFileSync(extensions, `subjectAltName=${names}\nbasicConstraints=critical,CA:TRUE\n`)
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${hosts[0]}`, '-keyout', key, '-out', request)
  // `req -x509` takes no days below one.
  openssl(
    ...['x509', '-req', '-in', request, '-signkey', key, '-days', String(days)],
    ...['-extfile', extensions, '-out', cert],
  )
  return { cert, key }
}
