import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Makes `NAME.key` and `NAME.crt`, signed by itself, for a host name or an IPv4 address. Needs openssl on PATH. */
export function makeCertificate(folder: string, name: string, host: string): void {
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=${/^\d/.test(host) ? 'IP' : 'DNS'}:${host}`]
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], {
    stdio: 'pipe',
  })
}
