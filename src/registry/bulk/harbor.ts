import { objectOf, objectsOf } from '../../core/json-object.js'
import { apiOf, sameCredential } from './api.js'
import type { BulkList } from './bulk-list.js'
import { assignmentOf, entriesOf, timeOf } from './read-list.js'

/**
 * Harbor's own API (goharbor/harbor 2.x, api/v2.0/swagger.yaml, `listArtifacts`), beside the registry on the same host and with
 * its user and password. The `digest` of an artifact is the index where it is one, whose manifests are not listed. A
 * slash in the name of a repository is encoded twice, because Harbor's own proxy decodes it once.
 */
export const harborList: BulkList = {
  kinds: ['harbor'],
  open: (context) => ({
    async begin(repository, call) {
      const { host, path } = repository
      const slash = path.indexOf('/')
      if (slash < 0) return null
      const name = encodeURIComponent(encodeURIComponent(path.slice(slash + 1)))
      const credential = await context.access.credential(repository, call.signal)
      const api = apiOf(context, host, null, credential, call)
      const artifacts = api.path(`/api/v2.0/projects/${path.slice(0, slash)}/repositories/${name}/artifacts`)
      let page = 1
      return {
        ask(cursor) {
          page = Number(cursor ?? 1)
          const query = new URLSearchParams({ with_tag: 'true', page_size: `${pageSize}`, page: `${page}` })
          return api.get(`${artifacts}?${query}`, sameCredential(credential))
        },
        read(value, { headers }, what) {
          const entries = entriesOf(value, what).map(objectOf)
          const tags = entries.flatMap(({ digest, tags: own }) =>
            objectsOf(own).map(({ name: tag, push_time }) => assignmentOf(tag, digest, timeOf(push_time))),
          )
          const total = Number(headers['x-total-count'])
          const isMore = entries.length > 0 && (total > 0 ? page * pageSize < total : entries.length >= pageSize)
          return { named: tags.length, assignments: tags.flat(), next: isMore ? `${page + 1}` : null }
        },
      }
    },
  }),
}

/** The most that the API gives at once. */
const pageSize = 100
