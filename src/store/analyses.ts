import { type Digest, digestFromBytes, digestOf, digestToBytes } from '../core/digest.js'
import { getContent, putContent } from './content.js'
import type { StoreContext } from './schema.js'

/** A layer as it was read: documents of the image part. */
export interface StoredLayer {
  readonly digest: Digest
  readonly diffId: Digest
  /** What chose the evidence. */
  readonly capture: string
  readonly sizeBytes: number
  readonly unpackedBytes: number
  readonly files: Uint8Array
  readonly evidence: Uint8Array
}

/** What was learned of the inside of images, so that it is learned once. */
export interface AnalysisStore {
  /** A layer, by its digest or its diffID, as this capture version read it; null when it did not. */
  layer(digest: Digest, capture: string): Promise<StoredLayer | null>
  putLayer(layer: StoredLayer): Promise<void>
  /** Whether each of these layers, named by digest or diffID, was read by this capture version. */
  knowsLayers(digests: readonly Digest[], capture: string): Promise<boolean>
  /** What was made of a manifest, by what made it: an inventory by its readers, a judgement by its snapshot. */
  document(digest: Digest, readers: string): Promise<Uint8Array | null>
  putDocument(digest: Digest, readers: string, document: Uint8Array): Promise<void>
  /** Any kept bytes by their digest: a configuration. */
  blob(digest: Digest): Promise<Uint8Array | null>
  putBlob(digest: Digest, bytes: Uint8Array): Promise<void>
}

/** See {@link AnalysisStore}. */
export function createAnalysisStore({ db, now }: StoreContext): AnalysisStore {
  return {
    async layer(digest, capture) {
      const key = digestToBytes(digest)
      const row = await db
        .selectFrom('layers')
        .selectAll()
        .where('capture', '=', capture)
        .where((where) => where.or([where('digest', '=', key), where('diff_id', '=', key)]))
        .limit(1)
        .executeTakeFirst()
      if (row === undefined) return null
      return {
        digest: digestFromBytes(row.digest),
        diffId: digestFromBytes(row.diff_id),
        capture,
        sizeBytes: row.size,
        unpackedBytes: row.unpacked_size,
        files: await getContent(db, row.files_content_id),
        evidence: await getContent(db, row.evidence_content_id),
      }
    },
    async knowsLayers(digests, capture) {
      for (const digest of digests) {
        const key = digestToBytes(digest)
        const row = await db
          .selectFrom('layers')
          .select('digest')
          .where('capture', '=', capture)
          .where((where) => where.or([where('digest', '=', key), where('diff_id', '=', key)]))
          .limit(1)
          .executeTakeFirst()
        if (row === undefined) return false
      }
      return true
    },
    async putLayer({ digest, diffId, capture, sizeBytes, unpackedBytes, files, evidence }) {
      await db.transaction().execute(async (trx) => {
        const contents = {
          files_content_id: await putContent(trx, digestOf(files), files, now()),
          evidence_content_id: await putContent(trx, digestOf(evidence), evidence, now()),
        }
        await trx
          .insertInto('layers')
          .values({
            ...{ digest: digestToBytes(digest), diff_id: digestToBytes(diffId), capture, ...contents },
            ...{ size: sizeBytes, unpacked_size: unpackedBytes, created_at: now() },
          })
          // A second read, for a link that the first did not know of, has more.
          .onConflict((conflict) => conflict.columns(['digest', 'capture']).doUpdateSet(contents))
          .execute()
      })
    },
    async document(digest, readers) {
      const row = await db
        .selectFrom('inventories')
        .select('content_id')
        .where('digest', '=', digestToBytes(digest))
        .where('readers', '=', readers)
        .executeTakeFirst()
      return row === undefined ? null : await getContent(db, row.content_id)
    },
    async putDocument(digest, readers, document) {
      await db.transaction().execute(async (trx) => {
        const content = { content_id: await putContent(trx, digestOf(document), document, now()) }
        await trx
          .insertInto('inventories')
          .values({ digest: digestToBytes(digest), readers, ...content, created_at: now() })
          .onConflict((conflict) => conflict.columns(['digest', 'readers']).doUpdateSet(content))
          .execute()
      })
    },
    async blob(digest: Digest) {
      const key = digestToBytes(digest)
      const row = await db.selectFrom('content').select('id').where('digest', '=', key).executeTakeFirst()
      return row === undefined ? null : await getContent(db, row.id)
    },
    async putBlob(digest, bytes) {
      await db.transaction().execute((trx) => putContent(trx, digest, bytes, now()))
    },
  }
}
