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
    const { code, errcode } = at as { code?: unknown; errcode?: unknown }
    // SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_FOREIGNKEY; PostgreSQL's 23505 and 23503.
    if (errcode === 2067 || errcode === 1555 || code === '23505') return 'unique'
    if (errcode === 787 || code === '23503') return 'foreign'
  }
  return null
}
