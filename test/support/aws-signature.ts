import { createHash, createHmac } from 'node:crypto'
import type { CloudRequest } from './cloud-server.js'

/** How AWS judges a signature. */
export type SignatureJudgement = 'good' | 'missing' | 'unknown-key' | 'does-not-match' | 'expired' | 'not-yet-current'

/**
 * Checks a signature of Signature Version 4 as AWS documents it (IAM User Guide, "Create a signed AWS API request"), by
 * node:crypto alone.
 * @param secrets secret keys by access key id
 * @param nowMs the clock of AWS, from which a request may be five minutes away
 */
export function judgeSignature(
  request: CloudRequest,
  secrets: ReadonlyMap<string, string>,
  nowMs: number,
): { judgement: SignatureJudgement; accessKeyId: string; scope: string } {
  const { method, path, headers, body } = request
  const pattern = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
  const [, accessKeyId = '', scope = '', names = '', signature] = pattern.exec(headers.authorization ?? '') ?? []
  const judged = (judgement: SignatureJudgement) => ({ judgement, accessKeyId, scope })
  if (signature === undefined || !names.split(';').includes('host')) return judged('missing')
  const secret = secrets.get(accessKeyId)
  if (secret === undefined) return judged('unknown-key')
  const [pathname = '', query = ''] = path.split('?')
  const canonicalHeaders = names
    .split(';')
    .map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}\n`)
  const canonical = [method, pathname, query, canonicalHeaders.join(''), names, sha256(body)].join('\n')
  const time = String(headers['x-amz-date'])
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const key = scope.split('/').reduce<Buffer | string>((parent, part) => hmac(parent, part), `AWS4${secret}`)
  if (hmac(key, toSign).toString('hex') !== signature || !time.startsWith(scope.split('/')[0] ?? '-')) {
    return judged('does-not-match')
  }
  const sentMs = Date.parse(time.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (sentMs < nowMs - 5 * 60_000) return judged('expired')
  return judged(sentMs > nowMs + 5 * 60_000 ? 'not-yet-current' : 'good')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
