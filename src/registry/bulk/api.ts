import type { Host } from '../../core/host.js'
import { limits } from '../../core/limits.js'
import type { HttpResponse } from '../../http/send.js'
import type { Credential } from '../credentials/credential.js'
import { requireUrl } from '../credentials/secret-file.js'
import type { Call } from '../request.js'
import { basicHeader } from '../token.js'
import type { BulkContext } from './bulk-list.js'

/** Headers of a request. */
export type Headers = Readonly<Record<string, string>>

/** The API of one host: `apiUrl` of its settings, else the usual place. All requests go to that one origin. */
export interface Api {
  /** A path below where the API is, from the root of its origin. */
  path(below: string): string
  /** @param path from the root of the origin: of {@link Api.path}, or a cursor */
  get(path: string, headers: Headers): Promise<HttpResponse>
  post(path: string, headers: Headers, body: string, maxBodyBytes?: number): Promise<HttpResponse>
}

/**
 * Opens the API of a host.
 * @param usual where it usually is; null for the registry's own origin
 * @throws Fault `invalid-config`
 */
export function apiOf(
  { access, settingsOf }: BulkContext,
  host: Host,
  usual: string | null,
  credential: Credential,
  call: Call,
): Api {
  const text = settingsOf(host).apiUrl ?? usual
  const base = text === null ? null : requireUrl(text, `registries.${host}.apiUrl`)
  const urlOf = (path: string) => (base === null ? path : new URL(path, base))
  const maxPageBytes = limits.tagsPageBytes
  return {
    path: (below) => `${base?.pathname.replace(/\/+$/, '') ?? ''}${below}`,
    get: (path, headers) =>
      access.sendApi(host, { method: 'GET', url: urlOf(path), headers, maxBodyBytes: maxPageBytes, credential }, call),
    post: (path, headers, body, maxBodyBytes = maxPageBytes) =>
      access.sendApi(host, { method: 'POST', url: urlOf(path), headers, body, maxBodyBytes, credential }, call),
  }
}

/** `Authorization` of an API that takes the registry's own user and password, or its token; nothing for others. */
export function sameCredential(credential: Credential): Headers {
  if (credential.kind === 'registry-token') return bearer(credential.token.reveal())
  return credential.kind === 'password' ? basicHeader(credential) : {}
}

/** `Authorization: Bearer`, RFC 6750. */
export function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` }
}
