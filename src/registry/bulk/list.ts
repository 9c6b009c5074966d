import type { Host } from '../../core/host.js'
import { formatRepository, type Repository } from '../../core/reference.js'
import type { TagAssignment } from '../../core/tag-assignment.js'
import type { RegistryKind } from '../kind.js'
import type { Call } from '../request.js'
import { acrList } from './acr.js'
import { artifactoryList } from './artifactory.js'
import type { BulkContext, BulkList, RepositoryLists } from './bulk-list.js'
import { dockerHubList } from './docker-hub.js'
import { ecrList } from './ecr.js'
import { ecrPublicList } from './ecr-public.js'
import { garList } from './gar.js'
import { ghcrList } from './ghcr.js'
import { gitlabList } from './gitlab.js'
import { harborList } from './harbor.js'
import { quayList } from './quay.js'
import { readList } from './read-list.js'

/** Every kind of registry whose own API lists tags with digests. */
const plugins: readonly BulkList[] = [
  acrList,
  artifactoryList,
  dockerHubList,
  ecrList,
  ecrPublicList,
  garList,
  ghcrList,
  gitlabList,
  harborList,
  quayList,
]

/** Whether a kind of registry has such a list at all. */
export function isListed(kind: RegistryKind | null): boolean {
  return plugins.some(({ kinds }) => kinds.some((one) => one === kind))
}

/** See `Registry.listDigests`. */
export type ListDigests = (
  repository: Repository,
  call: Call,
) => Promise<AsyncIterable<readonly TagAssignment[]> | null>

/** Opens all of them; each host's is chosen by its kind. */
export function bulkLists(context: BulkContext): ListDigests {
  const byKind = new Map<RegistryKind, RepositoryLists>()
  for (const plugin of plugins) {
    const lists = plugin.open(context)
    for (const kind of plugin.kinds) byKind.set(kind, lists)
  }
  const listsOf = (host: Host) => {
    const kind = context.kindOf(host)
    return kind === null ? undefined : byKind.get(kind)
  }
  return async (repository, call) => {
    const list = (await listsOf(repository.host)?.begin(repository, call)) ?? null
    if (list === null) return null
    return readList(list, `the list of digests of ${formatRepository(repository)}`, (url) =>
      context.access.pausedUntil(url),
    )
  }
}
