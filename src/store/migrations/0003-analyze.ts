import type { Migration } from '../migrate.js'

/** Whether the images that a watched tag points at are analyzed as they come; null: as the configuration says. */
export const analyze: Migration = {
  version: 3,
  // `analyze` alone is a word of SQL.
  statements: ({ int }) => [
    `alter table watches add column is_analyzed ${int} check (is_analyzed in (0, 1))`,
    `alter table watch_rules add column is_analyzed ${int} check (is_analyzed in (0, 1))`,
  ],
}
