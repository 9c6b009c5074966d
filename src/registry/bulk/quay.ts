import { type JsonObject, objectOf } from '../../core/json-object.js'
import type { Repository } from '../../core/reference.js'
import type { HttpResponse } from '../../http/send.js'
import type { Credential } from '../credentials/credential.js'
import type { Call } from '../request.js'
import { apiOf, bearer, type Headers } from './api.js'
import type { BulkContext, BulkList } from './bulk-list.js'
import { assignmentOf, entriesOf, momentOf } from './read-list.js'

/**
 * Quay's own API (docs.quay.io/api, `listRepoTags`; quay/quay at ffba0c70e, endpoints/api/tag.py), beside the registry on the
 * same host. `manifest_digest` is the index where the tag is one. It takes OAuth tokens; robots and passwords are not for it,
 * and public repositories need none.
 */
export const quayList: BulkList = {
  kinds: ['quay'],
  open: (context) => ({
    async begin(repository, call) {
      const ask = await quayTags(repository, { onlyActiveTags: 'true' }, context, call)
      return {
        ask,
        read(value, _, what) {
          const { entries, next } = readQuayPage(value, what)
          return {
            named: entries.length,
            assignments: entries.flatMap(({ name, manifest_digest, start_ts }) =>
              assignmentOf(name, manifest_digest, secondsOf(start_ts)),
            ),
            next,
          }
        },
      }
    },
  }),
}

/** The most that the API gives at once. */
const pageSize = 100

/**
 * Asks for pages of the tags of a repository, alive or dead; the cursor is the number of a page.
 * @throws Fault as `Access.credential`, and when it is asked as `Access.sendApi`
 */
export async function quayTags(
  repository: Repository,
  filter: Headers,
  context: BulkContext,
  call: Call,
): Promise<(cursor: string | null) => Promise<HttpResponse>> {
  const { host, path } = repository
  const credential = await context.access.credential(repository, call.signal)
  const api = apiOf(context, host, null, credential, call)
  return (cursor) => {
    const query = new URLSearchParams({ limit: `${pageSize}`, page: cursor ?? '1', ...filter })
    return api.get(api.path(`/api/v1/repository/${path}/tag/?${query}`), oauthHeader(credential))
  }
}

/** An OAuth token is the password of `$oauthtoken` to the registry, and a Bearer token to the API. */
function oauthHeader(credential: Credential): Headers {
  const isOauth = credential.kind === 'password' && credential.username === '$oauthtoken'
  return isOauth ? bearer(credential.password.reveal()) : {}
}

/** Entries of a page, and the cursor of the next. @throws Fault `broken-answer` */
export function readQuayPage(
  value: unknown,
  what: string,
): { readonly entries: readonly JsonObject[]; readonly next: string | null } {
  const { tags, page, has_additional } = objectOf(value)
  const entries = entriesOf(tags, what).map(objectOf)
  const isMore = has_additional === true && typeof page === 'number' && Number.isSafeInteger(page)
  return { entries, next: isMore ? `${page + 1}` : null }
}

/** A time of Quay, whole seconds, in milliseconds since the epoch. */
export function secondsOf(seconds: unknown): number | null {
  return typeof seconds === 'number' ? momentOf(seconds * 1000) : null
}
