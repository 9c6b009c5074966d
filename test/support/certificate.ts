import { execFileSync } from 'node:child_process'
import { isIP } from 'node:net'
import { join } from 'node:path'

/** Makes a certificate for `hosts` that signs itself, `NAME.crt` and `NAME.key` in `folder`. Needs openssl on PATH. */
export function makeCertificate(
  folder: string,
  name: string,
  ...hosts: readonly string[]
): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
  const names = hosts.map((host) => `${isIP(host) === 0 ? 'DNS' : 'IP'}:${host}`).join(',')
  const subject = ['-subj', `/CN=${hosts[0]}`, '-addext', `subjectAltName=${names}`]
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', cert]
  execFileSync('openssl', args, { stdio: 'pipe' })
  return { cert, key }
}
