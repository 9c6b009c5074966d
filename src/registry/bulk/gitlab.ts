import { objectOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import { nextLink, pathOf } from '../next-link.js'
import type { BulkList } from './bulk-list.js'
import { assignmentOf, entriesOf, timeOf } from './read-list.js'

/**
 * GitLab's registry (gitlab-org/container-registry at a08f2d52, docs-gitlab/api.md, "List Repository Tags"), on its own host and
 * with the token that pulls. Registries without a metadata database answer 404. The REST API of GitLab itself is not used: its
 * list has no digests, and the call for one tag is dearer than a HEAD.
 */
export const gitlabList: BulkList = {
  kinds: ['gitlab'],
  open: ({ access }) => ({
    async begin(repository, call) {
      return {
        ask: (cursor) => {
          const path = cursor ?? `/gitlab/v1/repositories/${repository.path}/tags/list/?n=${pageSize}`
          const rest = { accept: 'application/json', maxBodyBytes: limits.tagsPageBytes } as const
          return access.send(repository, { method: 'GET', path, ...rest }, call)
        },
        read(value, response, what) {
          const entries = entriesOf(value, what).map(objectOf)
          const next = nextLink(response, what)
          return {
            named: entries.length,
            assignments: entries.flatMap(({ name, digest, published_at, updated_at, created_at }) =>
              assignmentOf(name, digest, timeOf(published_at) ?? timeOf(updated_at) ?? timeOf(created_at)),
            ),
            next: next === null ? null : pathOf(next),
          }
        },
      }
    },
  }),
}

/** The most that the API gives at once. */
const pageSize = 1_000
