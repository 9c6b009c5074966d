import { deflateSync, inflateSync } from 'node:zlib'
import { type Digest, digestToBytes } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import type { Queries } from './schema.js'

/** The largest chunk: small enough that a row never needs much memory. */
const chunkBytes = 256 * 1024

/** Keeps bytes under their digest, deflated; once, however often they come. */
export async function putContent(db: Queries, digest: Digest, bytes: Uint8Array, now: number): Promise<number> {
  const key = digestToBytes(digest)
  const inserted = await db
    .insertInto('content')
    .values({ digest: key, size: bytes.byteLength, codec: 'deflate', created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  if (inserted === undefined) {
    const known = await db.selectFrom('content').select('id').where('digest', '=', key).executeTakeFirstOrThrow()
    return known.id
  }
  const packed = deflateSync(bytes)
  for (let n = 0; n * chunkBytes < packed.byteLength; n++) {
    const chunk = packed.subarray(n * chunkBytes, (n + 1) * chunkBytes)
    await db.insertInto('content_chunks').values({ content_id: inserted.id, n, bytes: chunk }).execute()
  }
  return inserted.id
}

/**
 * The bytes of a content.
 * @throws Fault `store-damaged` when they are not all there
 */
export async function getContent(db: Queries, contentId: number): Promise<Uint8Array> {
  const content = await db.selectFrom('content').select('size').where('id', '=', contentId).executeTakeFirstOrThrow()
  const chunks = await db
    .selectFrom('content_chunks')
    .select('bytes')
    .where('content_id', '=', contentId)
    .orderBy('n')
    .execute()
  try {
    const bytes = inflateSync(Buffer.concat(chunks.map((chunk) => chunk.bytes)), { maxOutputLength: content.size || 1 })
    if (bytes.byteLength === content.size) return bytes
  } catch (cause) {
    throw new Fault('store-damaged', 'a stored content cannot be unpacked', { cause })
  }
  throw new Fault('store-damaged', 'a stored content is shorter than it was')
}

/** Forgets a content that nothing refers to; gives the bytes that it took. */
export async function deleteContent(db: Queries, contentId: number): Promise<number> {
  const chunks = await db.deleteFrom('content_chunks').where('content_id', '=', contentId).returning('bytes').execute()
  await db.deleteFrom('content').where('id', '=', contentId).execute()
  return chunks.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
}
