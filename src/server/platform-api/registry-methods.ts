import { fromJson, type JsonValue, type MessageInitShape } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { Fault } from '../../core/fault.js'
import { isUidp } from '../../core/identity.js'
import { formatRepository } from '../../core/reference.js'
import { diffDigests, digestArchitectures, digestImageConfig, digestSize } from '../../flows/digest-image.js'
import { type FoundRepository, findRepositories } from '../../flows/find-repositories.js'
import { findTagHistory, findTags } from '../../flows/find-tags.js'
import {
  bindRepository,
  removeRepository,
  requireBoundRepository,
  updateRepository,
} from '../../flows/iam-repositories.js'
import { openDigests } from '../../flows/readable-digest.js'
import {
  DiffImageResponseSchema,
  ImageConfigSchema,
  Registry,
  type Repo,
  type RepoSchema,
} from './generated/registry_pb.js'
import { defineMethod, type PlatformCall, type PlatformMethod } from './method.js'
import { millisecondsOf } from './times.js'

const rpc = Registry.method
const digests = '/registry/v1/repos/{repo_id=**}/digests/{digest=*}'

/** chainguard.platform.registry.Registry */
export const registryMethods: readonly PlatformMethod[] = [
  defineMethod(rpc.listRepos, [{ verb: 'GET', path: '/registry/v1/repos' }], async (filter, call) => {
    return { items: (await findRepositories(call, filter)).map(repoOf) }
  }),
  defineMethod(
    rpc.createRepo,
    [{ verb: 'POST', path: '/registry/v1/repos/{parent_id=**}', body: 'repo' }],
    async ({ parentId, repo }, call) => {
      const { name = '', description = '' } = repo ?? {}
      refuseBuilding(repo)
      const upstream = await upstreamOf(repo, call)
      return repoOf({
        record: await bindRepository(call, { group: parentId, name, description, upstream, tags: [] }),
        activeTags: [],
      })
    },
  ),
  defineMethod(rpc.updateRepo, [{ verb: 'PUT', path: '/registry/v1/repos/{id=**}', body: '*' }], async (repo, call) => {
    refuseBuilding(repo)
    const { upstream } = await requireBoundRepository(call, requireId(repo.id), 'repo.update')
    if (repo.aliases.some((alias) => alias !== formatRepository(upstream))) {
      throw new Fault('conflict', `the repository stays bound to ${formatRepository(upstream)}`, {
        fix: 'Make another one.',
      })
    }
    const { uidp } = await updateRepository(call, repo)
    const [changed] = await findRepositories(call, { id: uidp })
    if (changed === undefined) throw new Fault('not-found', `the repository ${uidp} is gone`)
    return repoOf(changed)
  }),
  defineMethod(rpc.deleteRepo, [{ verb: 'DELETE', path: '/registry/v1/repos/{id=**}' }], async ({ id }, call) => {
    await removeRepository(call, requireId(id))
    return {}
  }),
  defineMethod(rpc.listTags, [{ verb: 'GET', path: '/registry/v1/tags' }], async (filter, call) => {
    const found = await findTags(call, { ...filter, updatedSince: millisecondsOf(filter.updatedSince) })
    return {
      items: found.map(({ uidp, name, digest, movedAt }) => ({
        ...{ id: uidp, name, digest, lastUpdated: timestampFromMs(movedAt) },
      })),
    }
  }),
  defineMethod(
    rpc.listTagHistory,
    [{ verb: 'GET', path: '/registry/v1/tags/{parent_id=**}/history' }],
    async ({ parentId, ...span }, call) => {
      const [start, end] = [millisecondsOf(span.start), millisecondsOf(span.end)]
      const found = await findTagHistory(call, { tag: parentId, start, end })
      return { items: found.map(({ at, digest }) => ({ updateTimestamp: timestampFromMs(at), digest })) }
    },
  ),
  defineMethod(
    rpc.diffImage,
    [{ verb: 'GET', path: '/registry/v1/repos/{repo_id=**}/diff' }],
    async ({ repoId, fromDigest, toDigest, platform }, call) => {
      const { etag, response } = await diffDigests({ repository: repoId, fromDigest, toDigest, platform }, call)
      call.header('etag', etag)
      return fromJson(DiffImageResponseSchema, response as unknown as JsonValue, { ignoreUnknownFields: true })
    },
  ),
  defineMethod(
    rpc.getImageConfig,
    [{ verb: 'GET', path: `${digests}/imageconfig` }],
    async ({ repoId, digest, arch }, call) => {
      const config = await digestImageConfig({ repository: repoId, digest, arch }, call)
      return fromJson(ImageConfigSchema, config as unknown as JsonValue)
    },
  ),
  defineMethod(rpc.getArchs, [{ verb: 'GET', path: `${digests}/architectures` }], async ({ repoId, digest }, call) => ({
    archs: await digestArchitectures({ repository: repoId, digest }, call),
  })),
  defineMethod(
    rpc.getSize,
    [{ verb: 'GET', path: `${digests}/size` }],
    async ({ repoId, digest, arch: wanted }, call) => {
      const { sizeBytes, arch } = await digestSize({ repository: repoId, digest, arch: wanted }, call)
      return { size: BigInt(sizeBytes), arch }
    },
  ),
  ...notImplemented(),
]

/** Calls whose answer we do not have; a tag is the upstream's, and is watched or not, which other calls say. */
function notImplemented(): PlatformMethod[] {
  const tags = async (_: unknown, call: PlatformCall) => {
    requireSomebody(call)
    throw refused('tags are made and moved on the registry that holds them; watch one with `tidemark watch add`')
  }
  const reports = async ({ repoId }: { repoId: string }, call: PlatformCall) => {
    await openDigests(repoId, ['repo.list'], call)
    throw refused('this is not given out; `tidemark packages` and `tidemark scan` say it')
  }
  return [
    defineMethod(rpc.createTag, [{ verb: 'POST', path: '/registry/v1/tags/{repo_id=**}', body: 'tag' }], tags),
    defineMethod(rpc.updateTag, [{ verb: 'PUT', path: '/registry/v1/tags/{id=**}', body: '*' }], tags),
    defineMethod(rpc.deleteTag, [{ verb: 'DELETE', path: '/registry/v1/tags/{id=**}' }], tags),
    defineMethod(rpc.getSbom, [{ verb: 'GET', path: `${digests}/sbom` }], reports),
    // `digest` without an s, as there.
    defineMethod(
      rpc.getRawSbom,
      [{ verb: 'GET', path: '/registry/v1/repos/{repo_id=**}/digest/{digest=*}/rawsbom' }],
      reports,
    ),
    defineMethod(rpc.getVulnReport, [{ verb: 'GET', path: `${digests}/vulnreport` }], reports),
    // Misspelt there too.
    defineMethod(
      rpc.listManifestMetadata,
      [{ verb: 'GET', path: '/registry/v1/repos/{repo_id=**}/manifestmetdata' }],
      reports,
    ),
  ]
}

function repoOf({ record, activeTags }: FoundRepository): MessageInitShape<typeof RepoSchema> {
  const { uidp, name, description, upstream, createdAt } = record
  return {
    ...{ id: uidp, name, description, activeTags: [...activeTags] },
    ...{ aliases: [formatRepository(upstream)], createTime: timestampFromMs(createdAt) },
  }
}

/** A repository here is a name for one on a registry: `sync_config.source` says which, or else the first of `aliases`. */
async function upstreamOf(repo: Repo | undefined, call: PlatformCall): Promise<string> {
  const source = repo?.syncConfig?.source || repo?.aliases[0]
  if (source === undefined) {
    throw new Fault('invalid-argument', 'a repository is bound to one on a registry, and none is named', {
      fix: 'Give it in aliases or sync_config.source, for example `docker.io/library/nginx`.',
    })
  }
  if (!isUidp(source)) return source
  return formatRepository((await requireBoundRepository(call, source, 'repo.list')).upstream)
}

/** @throws Fault `not-implemented` for what only a builder of images could do */
function refuseBuilding(repo: Repo | undefined): void {
  if (repo?.customOverlay !== undefined) throw refused('no images are built here: a repository has no overlay')
  if ((repo?.readme ?? '') !== '') throw refused('a repository has a description here, and no readme')
}

/** @throws Fault `invalid-argument`: a name would do for the flow, and a path of names is not an id */
function requireId(text: string): string {
  if (isUidp(text)) return text
  throw new Fault('invalid-argument', 'that is not the id of a repository', {
    fix: 'Take it from the list of repositories.',
  })
}

function requireSomebody({ caller }: PlatformCall): void {
  if (caller.kind === 'anonymous') throw new Fault('unauthenticated', 'a token is needed for this')
}

function refused(message: string): Fault {
  return new Fault('not-implemented', message)
}
