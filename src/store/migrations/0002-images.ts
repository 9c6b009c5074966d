import type { Migration } from '../migrate.js'

/** What is inside images: layers as they were read, and the inventories made from them. */
export const images: Migration = {
  version: 2,
  statements: ({ int, text, bytes, table }) => [
    table('layers', [
      `digest ${bytes} not null`,
      // What chose the evidence; another version of it reads the layer anew.
      `capture ${text} not null`,
      `diff_id ${bytes} not null`,
      `size ${int} not null`,
      `unpacked_size ${int} not null`,
      `files_content_id ${int} not null references content (id)`,
      `evidence_content_id ${int} not null references content (id)`,
      `created_at ${int} not null`,
      'primary key (digest, capture)',
    ]),
    'create index layers_diff_id on layers (diff_id, capture)',
    table('inventories', [
      // Of the manifest of one platform.
      `digest ${bytes} not null`,
      // The readers that made it, with their versions.
      `readers ${text} not null`,
      `content_id ${int} not null references content (id)`,
      `created_at ${int} not null`,
      'primary key (digest, readers)',
    ]),
  ],
}
