import { objectOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import { nextLink, pathOf } from '../next-link.js'
import type { BulkList } from './bulk-list.js'
import { assignmentOf, entriesOf, timeOf } from './read-list.js'

/**
 * Azure Container Registry (learn.microsoft.com/rest/api/containerregistry, 2019-08-15, "Tag - Get List"), on the registry's own
 * host, with a token of the scope `metadata_read` (Azure/acr at 81b818e, docs/AAD-OAuth.md).
 */
export const acrList: BulkList = {
  kinds: ['acr'],
  open: ({ access }) => ({
    async begin(repository, call) {
      return {
        ask: (cursor) => {
          const path = cursor ?? `/acr/v1/${repository.path}/_tags?n=${pageSize}`
          const rest = { accept: 'application/json', maxBodyBytes: limits.tagsPageBytes } as const
          return access.send(repository, { method: 'GET', path, action: 'metadata_read', ...rest }, call)
        },
        read(value, response, what) {
          // A repository without tags has `null` in some versions.
          const entries = entriesOf(objectOf(value).tags ?? [], what).map(objectOf)
          const next = nextLink(response, what)
          return {
            named: entries.length,
            assignments: entries.flatMap(({ name, digest, lastUpdateTime }) =>
              assignmentOf(name, digest, timeOf(lastUpdateTime)),
            ),
            next: next === null ? null : pathOf(next),
          }
        },
      }
    },
  }),
}

/** What the API gives unasked; how much it gives at most is not documented. */
const pageSize = 100
