import type { Migration } from '../migrate.js'

/** Hints that came to a process which does not hold the lane, until its holder takes them: some hundred milliseconds. */
export const hints: Migration = {
  version: 5,
  statements: ({ id, int, table }) => [
    table('hints', [
      id,
      `lane_id ${int} not null references lanes (id)`,
      // One of the two: a tag to look at, or a repository to list. Unique, so that a flood makes no more rows than there are watches.
      `tag_id ${int} unique references tags (id) on delete cascade`,
      `rule_id ${int} unique references watch_rules (id) on delete cascade`,
      `hinted_at ${int} not null`,
      'check ((tag_id is null) <> (rule_id is null))',
    ]),
    'create index hints_lane on hints (lane_id)',
  ],
}
