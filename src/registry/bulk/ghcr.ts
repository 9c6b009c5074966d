import { objectOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import { nextLink, pathOf } from '../next-link.js'
import { apiOf, bearer } from './api.js'
import type { BulkList } from './bulk-list.js'
import { assignmentOf, entriesOf, timeOf } from './read-list.js'

/**
 * GitHub's packages API (docs.github.com/rest/packages/packages, version 2022-11-28, "List package versions for a package owned
 * by an organization", and "by a user"), which is on another host and takes the same token. A version's `name` is its digest;
 * the manifests of an index are versions too, without tags, and take room on the pages. GitHub knows when a version was made,
 * not when a tag moved to it.
 */
export const ghcrList: BulkList = {
  kinds: ['ghcr'],
  open(context) {
    /** Whether an owner is an organization or a user is found out once. */
    const places = new Map<string, 'orgs' | 'users'>()
    return {
      async begin(repository, call) {
        const { host, path } = repository
        const credential = await context.access.credential(repository, call.signal)
        const usual = host === 'ghcr.io' ? 'https://api.github.com' : null
        // The API wants a token for public packages too. That of a server of one's own is where its owner says.
        if (credential.kind !== 'password') return null
        if (usual === null && context.settingsOf(host).apiUrl === undefined) return null
        const [owner = '', ...name] = path.split('/')
        const ownerKey = `${host} ${owner}`
        const api = apiOf(context, host, usual, credential, call)
        const headers = { ...githubHeaders, ...bearer(credential.password.reveal()) }
        const versions = (place: 'orgs' | 'users') =>
          api.path(`/${place}/${owner}/packages/container/${encodeURIComponent(name.join('/'))}/versions?${query}`)
        return {
          async ask(cursor) {
            if (cursor !== null) return await api.get(cursor, headers)
            const place = places.get(ownerKey)
            const response = await api.get(versions(place ?? 'orgs'), headers)
            if (place !== undefined || response.status !== 404) return response
            const ofUser = await api.get(versions('users'), headers)
            if (ofUser.status === 200 && places.size < limits.pages) places.set(ownerKey, 'users')
            return ofUser
          },
          read(value, response, what) {
            const tags = entriesOf(value, what).flatMap((entry) => {
              const { name: digest, metadata, created_at } = objectOf(entry)
              const { tags: own } = objectOf(objectOf(metadata).container)
              return (Array.isArray(own) ? own : []).map((tag) => assignmentOf(tag, digest, timeOf(created_at)))
            })
            const next = nextLink(response, what)
            return { named: tags.length, assignments: tags.flat(), next: next === null ? null : pathOf(next) }
          },
        }
      },
    }
  },
}

const query = 'per_page=100&state=active'
const githubHeaders = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }
