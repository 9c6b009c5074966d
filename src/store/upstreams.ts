import type { Host } from '../core/host.js'
import { newChildUidp, tagSuid, type Uidp } from '../core/identity.js'
import { formatRepository, type Repository, type TagReference } from '../core/reference.js'
import { defaultOrganization } from './migrate.js'
import type { Queries } from './schema.js'

/** Today every upstream is read with what the configuration has for its host: the empty credential. */
const credential = ''

/** The rows that stand behind a repository. */
export interface RepositoryIds {
  readonly repositoryId: number
  readonly upstreamId: number
}

/** The repository in the organization `default` with its upstream and lane; made when they are not there. */
export async function ensureRepository(db: Queries, repository: Repository, now: number): Promise<RepositoryIds> {
  const { host, path } = repository
  const name = formatRepository(repository)
  const known = await db
    .selectFrom('repositories')
    .innerJoin('groups', 'groups.uidp', 'repositories.group_uidp')
    .select(['repositories.id', 'repositories.upstream_id'])
    .where('groups.parent_uidp', '=', '/')
    .where('groups.name', '=', defaultOrganization)
    .where('repositories.name', '=', name)
    .executeTakeFirst()
  if (known !== undefined) return { repositoryId: known.id, upstreamId: known.upstream_id }
  const upstreamId = await ensureUpstream(db, { host, path })
  const group = await db
    .selectFrom('groups')
    .select('uidp')
    .where('parent_uidp', '=', '/')
    .where('name', '=', defaultOrganization)
    .executeTakeFirstOrThrow()
  const values = { group_uidp: group.uidp, name, upstream_id: upstreamId, created_at: now }
  await db
    .insertInto('repositories')
    .values({ ...values, uidp: newChildUidp(group.uidp as Uidp) })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return await ensureRepository(db, repository, now)
}

/** The upstream of a repository; made, with its lane, when it is not there. */
export async function ensureUpstream(db: Queries, { host, path }: Repository): Promise<number> {
  const laneId = await ensureLane(db, host)
  await db
    .insertInto('upstreams')
    .values({ lane_id: laneId, host, path, credential })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const upstream = await db
    .selectFrom('upstreams')
    .select('id')
    .where('host', '=', host)
    .where('path', '=', path)
    .where('credential', '=', credential)
    .executeTakeFirstOrThrow()
  return upstream.id
}

async function ensureLane(db: Queries, host: Host): Promise<number> {
  const values = { host, credential, share: 0, lease_until: 0, lease_epoch: 0, watermark_at: 0 }
  await db
    .insertInto('lanes')
    .values(values)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const lane = await db
    .selectFrom('lanes')
    .select('id')
    .where('host', '=', host)
    .where('credential', '=', credential)
    .where('share', '=', 0)
    .executeTakeFirstOrThrow()
  return lane.id
}

/** The tag's row; made, unseen, when it is not there. */
export async function ensureTag(db: Queries, upstreamId: number, name: string, now: number): Promise<number> {
  const values = { upstream_id: upstreamId, name, suid: tagSuid(name), state: 'unseen', state_since: now }
  await db
    .insertInto('tags')
    .values({ ...values, history_version: 0 })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const tag = await db
    .selectFrom('tags')
    .select('id')
    .where('upstream_id', '=', upstreamId)
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
  return tag.id
}

/** The tag's row and its lane; undefined for a tag that nobody ever named. */
export async function findTag(db: Queries, { host, path, tag }: TagReference) {
  return await db
    .selectFrom('tags')
    .innerJoin('upstreams', 'upstreams.id', 'tags.upstream_id')
    .select(['tags.id', 'upstreams.lane_id', 'tags.state', 'tags.manifest_id', 'tags.history_version'])
    .where('upstreams.host', '=', host)
    .where('upstreams.path', '=', path)
    .where('upstreams.credential', '=', credential)
    .where('tags.name', '=', tag)
    .executeTakeFirst()
}
