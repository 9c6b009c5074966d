import type { StoreContext } from './schema.js'
import type { LaneLease } from './store.js'

/** What a hint is about: a tag, or a repository whose tags a rule follows. */
export type HintTarget =
  | { readonly laneId: number; readonly tagId: number; readonly ruleId: null }
  | { readonly laneId: number; readonly tagId: null; readonly ruleId: number }

/** Hints that came to a process which does not hold the lane: a note for whoever does. One for each tag and rule at most. */
export interface HintStore {
  /** Leaves hints for the holders of their lanes; those that lie there already are not doubled. */
  put(hints: readonly HintTarget[]): Promise<void>
  /** Takes those of `laneIds` away. */
  take(laneIds: readonly LaneLease['laneId'][]): Promise<readonly HintTarget[]>
}

const batch = 500

/** See {@link HintStore}. */
export function createHintStore({ db, now }: StoreContext): HintStore {
  return {
    async put(hints) {
      const rows = hints.map(({ laneId, tagId, ruleId }) => ({
        ...{ lane_id: laneId, tag_id: tagId, rule_id: ruleId, hinted_at: now() },
      }))
      // A statement takes so many parameters and no more.
      for (let first = 0; first < rows.length; first += batch) {
        await db
          .insertInto('hints')
          .values(rows.slice(first, first + batch))
          .onConflict((conflict) => conflict.doNothing())
          .execute()
      }
    },
    async take(laneIds) {
      if (laneIds.length === 0) return []
      const waiting = db.selectFrom('hints').select('id').where('lane_id', 'in', laneIds)
      // Asked twice a second: a DELETE would take SQLite's write lock each time.
      if ((await waiting.limit(1).execute()).length === 0) return []
      const rows = await db
        .deleteFrom('hints')
        .where('lane_id', 'in', laneIds)
        .returning(['lane_id', 'tag_id', 'rule_id'])
        .execute()
      return rows.flatMap(({ lane_id: laneId, tag_id: tagId, rule_id: ruleId }): HintTarget[] => {
        if (tagId !== null) return [{ laneId, tagId, ruleId: null }]
        return ruleId === null ? [] : [{ laneId, tagId, ruleId }]
      })
    },
  }
}
