import { type Digest, digestFromBytes, digestToBytes } from '../core/digest.js'
import type { Host } from '../core/host.js'
import { formatPlatform } from '../core/platform.js'
import { isSameRepository, type Repository } from '../core/reference.js'
import { getContent, putContent } from './content.js'
import { nothing, type Queries, type StoreContext } from './schema.js'
import type { ManifestRecord, ManifestStore } from './store.js'

/** See {@link ManifestStore}. */
export function createManifestStore({ db, now }: StoreContext): ManifestStore {
  return {
    async put(record) {
      await db.transaction().execute((trx) => putManifest(trx, record, now()))
    },
    async get(digest) {
      const row = await db
        .selectFrom('manifests')
        .select(['media_type', 'content_id'])
        .where('digest', '=', digestToBytes(digest))
        .executeTakeFirst()
      if (row === undefined || row.content_id === null) return null
      return { mediaType: row.media_type, bytes: await getContent(db, row.content_id) }
    },
    async isFrom(repository, digest) {
      return (await sourcesOf(db, digest)).some((source) => isSameRepository(source, repository))
    },
    sources: (digest) => sourcesOf(db, digest),
  }
}

/** The row of a manifest of which only the name is known; made when it is not there. */
export async function nameManifest(db: Queries, digest: Digest, mediaType = '', sizeBytes = 0): Promise<number> {
  const key = digestToBytes(digest)
  const known = await db.selectFrom('manifests').select('id').where('digest', '=', key).executeTakeFirst()
  if (known !== undefined) return known.id
  await db
    .insertInto('manifests')
    .values({ digest: key, media_type: mediaType, size: sizeBytes })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const made = await db.selectFrom('manifests').select('id').where('digest', '=', key).executeTakeFirstOrThrow()
  return made.id
}

/** Keeps a manifest with its bytes and children; gives its row. */
export async function putManifest(db: Queries, record: ManifestRecord, now: number): Promise<number> {
  const id = await nameManifest(db, record.digest, record.mediaType, record.bytes.byteLength)
  const row = await db.selectFrom('manifests').select('content_id').where('id', '=', id).executeTakeFirstOrThrow()
  if (row.content_id !== null) return id
  await db
    .updateTable('manifests')
    .set({
      media_type: record.mediaType,
      size: record.bytes.byteLength,
      content_id: await putContent(db, record.digest, record.bytes, now),
      artifact_type: record.artifactType ?? null,
      subject_id: record.subject === undefined ? null : await nameManifest(db, record.subject),
      config_digest: record.configDigest === undefined ? null : digestToBytes(record.configDigest),
    })
    .where('id', '=', id)
    .execute()
  for (const [position, child] of record.children.entries()) {
    const manifestId = await nameManifest(db, child.digest, child.mediaType, child.sizeBytes)
    const annotations = child.annotations.size === 0 ? null : JSON.stringify(Object.fromEntries(child.annotations))
    const platform = child.platform === undefined ? null : formatPlatform(child.platform)
    await db
      .insertInto('manifest_children')
      .values({ index_id: id, position, manifest_id: manifestId, platform, annotations })
      .execute()
  }
  return id
}

/** The digest of a row; null for none, and for the row that stands for nothing. */
export async function digestOfManifest(db: Queries, manifestId: number | null): Promise<Digest | null> {
  if (manifestId === null || manifestId === nothing) return null
  const row = await db.selectFrom('manifests').select('digest').where('id', '=', manifestId).executeTakeFirstOrThrow()
  return digestFromBytes(row.digest)
}

/** See {@link ManifestStore.sources}. */
async function sourcesOf(db: Queries, digest: Digest): Promise<readonly Repository[]> {
  const manifest = await db
    .selectFrom('manifests')
    .select('id')
    .where('digest', '=', digestToBytes(digest))
    .executeTakeFirst()
  if (manifest === undefined) return []
  const pointing = await pointedAtBy(db).where('history.manifest_id', '=', manifest.id).execute()
  if (pointing.length > 0) return pointing.map(repositoryOf)
  const listing = await pointedAtBy(db)
    .innerJoin('manifest_children', 'manifest_children.index_id', 'history.manifest_id')
    .where('manifest_children.manifest_id', '=', manifest.id)
    .execute()
  return listing.length === 1 ? listing.map(repositoryOf) : []
}

function repositoryOf({ host, path }: { host: string; path: string }): Repository {
  return { host: host as Host, path }
}

/** The repositories whose tags were seen to point at something; what was only claimed is left out. */
function pointedAtBy(db: Queries) {
  return db
    .selectFrom('history')
    .innerJoin('tags', 'tags.id', 'history.tag_id')
    .innerJoin('upstreams', 'upstreams.id', 'tags.upstream_id')
    .select(['upstreams.host', 'upstreams.path'])
    .distinct()
    .where('history.source', '=', 'head')
}
