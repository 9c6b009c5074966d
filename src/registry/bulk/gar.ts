import { objectOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import type { Repository } from '../../core/reference.js'
import type { TagAssignment } from '../../core/tag-assignment.js'
import type { HttpResponse } from '../../http/send.js'
import { nextLink, pathOf } from '../next-link.js'
import type { Call } from '../request.js'
import { type Api, apiOf, bearer, type Headers } from './api.js'
import type { BulkContext, BulkList, DigestPage } from './bulk-list.js'
import { assignmentOf, entriesOf, momentOf } from './read-list.js'

/**
 * Google Artifact Registry and Container Registry: `tags/list` has a `manifest` map beside the tags (go-containerregistry
 * 3f4ff3ca, pkg/v1/google/list.go), for anybody who may pull; what a key of the map names is what its tags point at, and platforms'
 * manifests are keys without tags. That list is cut at 10,000 (cloud.google.com/artifact-registry/quotas): behind a full one
 * comes Artifact Registry's own (REST v1, `projects.locations.repositories.packages.tags.list`, on another host with the same access
 * token), which has no times.
 */
export const garList: BulkList = {
  kinds: ['gar'],
  open: (context) => ({
    async begin(repository, call) {
      const rest = await restOf(repository, context, call)
      let count = 0
      let isRest = false
      return {
        ask(cursor) {
          isRest = cursor?.startsWith(restMark) ?? false
          if (isRest && rest !== null) return rest.api.get(cursor?.slice(restMark.length) ?? rest.path, rest.headers)
          return askRegistry(repository, cursor, context, call)
        },
        read(value, response, what) {
          if (isRest) return readRestPage(value, rest, what)
          const page = readManifestMap(value, response, what)
          count += page.assignments.length
          const isCut = page.next === null && count >= cutAt && rest !== null
          return isCut ? { ...page, next: restMark + rest.path } : page
        },
      }
    },
  }),
}

/** How much `tags/list` gives, and what go-containerregistry asks for. */
const cutAt = 10_000
const usualApi = 'https://artifactregistry.googleapis.com'
/** Tells cursors of the REST API from the registry's, which are paths too. */
const restMark = 'rest '

function askRegistry(
  repository: Repository,
  cursor: string | null,
  { access }: BulkContext,
  call: Call,
): Promise<HttpResponse> {
  const request = { method: 'GET', accept: 'application/json', maxBodyBytes: limits.tagsPageBytes } as const
  return access.send(repository, { ...request, path: cursor ?? `tags/list?n=${cutAt}` }, call)
}

function readManifestMap(value: unknown, response: HttpResponse, what: string): DigestPage {
  const { tags, manifest } = objectOf(value)
  const named = entriesOf(tags ?? [], what).length
  const assignments: TagAssignment[] = []
  for (const [digest, entry] of Object.entries(objectOf(manifest))) {
    const { tag, timeUploadedMs } = objectOf(entry)
    for (const name of Array.isArray(tag) ? tag : [])
      assignments.push(...assignmentOf(name, digest, momentOf(timeUploadedMs)))
  }
  const next = nextLink(response, what)
  return { named, assignments, next: next === null ? null : pathOf(next) }
}

interface RestList {
  readonly api: Api
  readonly headers: Headers
  /** Of the first page. */
  readonly path: string
}

/** Null where there is no access token, or the name of the host does not tell where its repositories are. */
async function restOf(repository: Repository, context: BulkContext, call: Call): Promise<RestList | null> {
  const { host, path } = repository
  const credential = await context.access.credential(repository, call.signal)
  const [, location] = /^(?:docker\.)?([a-z0-9-]+?)(?:-docker|\.rep)\.pkg\.dev$/.exec(host) ?? []
  if (location === undefined || credential.kind !== 'password' || credential.username !== 'oauth2accesstoken')
    return null
  const parts = path.split('/')
  // The project of a domain, `example.com:project`, takes two parts of a path.
  const project = parts[0]?.includes('.') ? `${parts.shift()}:${parts.shift()}` : parts.shift()
  const name = parts.shift()
  const parent = `projects/${project}/locations/${location}/repositories/${name}`
  const api = apiOf(context, host, usualApi, credential, call)
  const tags = api.path(`/v1/${parent}/packages/${encodeURIComponent(parts.join('/'))}/tags?pageSize=1000`)
  return { api, headers: bearer(credential.password.reveal()), path: tags }
}

/** An entry's `name` ends in `/tags/TAG`, its `version` in `/versions/DIGEST`. */
function readRestPage(value: unknown, rest: RestList | null, what: string): DigestPage {
  const { tags, nextPageToken } = objectOf(value)
  const entries = entriesOf(tags ?? [], what).map(objectOf)
  const lastPart = (text: unknown) => (typeof text === 'string' ? text.slice(text.lastIndexOf('/') + 1) : null)
  const isMore = typeof nextPageToken === 'string' && nextPageToken !== '' && rest !== null
  return {
    named: entries.length,
    assignments: entries.flatMap(({ name, version }) => assignmentOf(lastPart(name), lastPart(version), null)),
    next: isMore ? `${restMark}${rest.path}&pageToken=${encodeURIComponent(nextPageToken)}` : null,
  }
}
