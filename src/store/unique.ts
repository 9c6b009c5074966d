import { Fault } from '../core/fault.js'

/**
 * Runs an insert that may break a unique or foreign key.
 * @throws Fault `conflict` with `taken`, `not-found` with `missing`
 */
export async function orConflict<Value>(work: Promise<Value>, taken: string, missing = taken): Promise<Value> {
  try {
    return await work
  } catch (error) {
    const kind = brokenKey(error)
    if (kind === 'unique') throw new Fault('conflict', taken, { cause: error })
    if (kind === 'foreign') throw new Fault('not-found', missing, { cause: error })
    throw error
  }
}

/** Which key an error of either database is about; it may be wrapped. */
function brokenKey(error: unknown): 'unique' | 'foreign' | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    const { code } = at as { code?: unknown }
    // SQLite by its text: one of its two packages gives no number where a statement returns rows. PostgreSQL by SQLSTATE.
    if (code === '23505' || at.message.includes('UNIQUE constraint failed')) return 'unique'
    if (code === '23503' || at.message.includes('FOREIGN KEY constraint failed')) return 'foreign'
  }
  return null
}
