import type { Migration } from '../migrate.js'

/** What the planner chose, which repositories are known by lists, and moves whose event waits for the rest of the move. */
export const planning: Migration = {
  version: 6,
  statements: ({ int, table }) => [
    // How often the tag is looked at where nobody gave an interval; null: the server's default.
    `alter table tags add column planned_ms ${int} check (planned_ms > 0)`,
    // Whether one list tells of all its tags: then they are looked at together, at the repository's time and not each at its own.
    `alter table upstreams add column is_listed ${int} not null default 0 check (is_listed in (0, 1))`,
    table('settling', [
      `tag_id ${int} primary key references tags (id)`,
      // What the tag pointed at before the first of these moves; null: it was not known.
      `from_manifest_id ${int} references manifests (id)`,
      `began_at ${int} not null`,
      `until_at ${int} not null check (until_at >= began_at)`,
    ]),
    'create index settling_until on settling (until_at)',
  ],
}
