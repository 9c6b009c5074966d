import { sql } from 'kysely'
import { deleteContent } from './content.js'
import type { Queries, StoreContext } from './schema.js'

/** What was read of images: it can be read again, and may be forgotten where room is short. History is none of it. */
export interface EvidenceStore {
  /** Bytes that it takes, packed as it is stored. */
  sizeBytes(): Promise<number>
  /**
   * Forgets the oldest until `bytes` are free or nothing is left: first what no watched tag points at, then the rest. In small
   * transactions, so that nobody waits for long.
   * @returns how many bytes were freed
   */
  forgetOldest(bytes: number, signal?: AbortSignal): Promise<number>
}

/** Layers and inventories that one transaction forgets. */
const atOnce = 20

/** See {@link EvidenceStore}. */
export function createEvidenceStore({ db }: StoreContext): EvidenceStore {
  const sizeBytes = async () => {
    const { rows } = await sql<{ size: number | string | null }>`
      select sum(length(bytes)) as size from content_chunks where content_id in (${contents})`.execute(db)
    return Number(rows[0]?.size ?? 0)
  }
  return {
    sizeBytes,
    async forgetOldest(bytes, signal) {
      let freed = 0
      while (freed < bytes && !signal?.aborted) {
        const forgotten = await db.transaction().execute((trx) => forgetSome(trx, bytes - freed))
        if (forgotten === null) break
        freed += forgotten
      }
      return freed
    },
  }
}

/** Contents of layers and inventories. Configurations are small, and histories are shown with them. */
const contents = sql`select files_content_id from layers union select evidence_content_id from layers union select content_id from inventories`

/** Manifests that a watched tag points at, and those of its index. */
const watched = sql`
  select m.digest from watches w join tags t on t.id = w.tag_id join manifests m on m.id = t.manifest_id
  where w.removed_at is null
  union
  select c.digest from watches w join tags t on t.id = w.tag_id
  join manifest_children k on k.index_id = t.manifest_id join manifests c on c.id = k.manifest_id
  where w.removed_at is null`

interface Oldest {
  readonly kind: 'inventory' | 'layer'
  readonly digest: Uint8Array
  /** `readers` of an inventory, `capture` of a layer. */
  readonly version: string
}

/**
 * Forgets some, and says how many bytes that freed; null when there is nothing. Which images a layer is of is not in the tables:
 * layers go by age. The inventory of a watched image stays longest, so that what changed can be told without its layers.
 */
async function forgetSome(trx: Queries, wanted: number): Promise<number | null> {
  const { rows } = await sql<Oldest>`
    select kind, digest, version from (
      select 'inventory' as kind, digest, readers as version, created_at,
        case when digest in (${watched}) then 1 else 0 end as is_watched from inventories
      union all
      select 'layer' as kind, digest, capture as version, created_at, 0 as is_watched from layers
    ) as evidence
    order by is_watched, created_at, digest limit ${atOnce}`.execute(trx)
  if (rows.length === 0) return null
  let freed = 0
  for (const row of rows) {
    if (freed >= wanted) break
    freed += row.kind === 'layer' ? await forgetLayer(trx, row) : await forgetInventory(trx, row)
  }
  return freed
}

async function forgetInventory(trx: Queries, { digest, version }: Oldest): Promise<number> {
  const removed = await trx
    .deleteFrom('inventories')
    .where('digest', '=', digest)
    .where('readers', '=', version)
    .returning('content_id')
    .execute()
  return await deleteUnused(
    trx,
    removed.map(({ content_id }) => content_id),
  )
}

async function forgetLayer(trx: Queries, { digest, version }: Oldest): Promise<number> {
  const removed = await trx
    .deleteFrom('layers')
    .where('digest', '=', digest)
    .where('capture', '=', version)
    .returning(['files_content_id', 'evidence_content_id'])
    .execute()
  return await deleteUnused(
    trx,
    removed.flatMap((row) => [row.files_content_id, row.evidence_content_id]),
  )
}

/** Contents are kept once, whoever has them. */
async function deleteUnused(trx: Queries, ids: readonly number[]): Promise<number> {
  let freed = 0
  for (const id of new Set(ids)) {
    const { rows } = await sql<{ used: number }>`
      select 1 as used where ${id} in (${contents}) or exists (select 1 from manifests where content_id = ${id})`.execute(
      trx,
    )
    if (rows.length === 0) freed += await deleteContent(trx, id)
  }
  return freed
}
