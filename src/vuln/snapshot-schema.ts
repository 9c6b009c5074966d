/** In the header of the file (`pragma application_id`), so that no other database is taken for a snapshot: `TMAD`. */
export const snapshotApplicationId = 0x54_4d_41_44
/** `pragma user_version`: raised when an older reader could misread the file. */
export const snapshotFormat = 1

/**
 * The tables of a snapshot.
 *
 * An advisory is stored once for each part of its source, with those of its packages that the part is about. The rows of its
 * packages and names have the keys from `advisory.key * rowsPerAdvisory` on, so that they lie together and need no index to be
 * found by advisory. Names are its aliases and what it passes on. Text for which there is no null is ''.
 */
export const snapshotTables = `
create table meta (key text primary key, value text not null) without rowid;
create table part (
  key integer primary key,
  source text not null,
  part text not null,
  records integer not null default 0,
  refused integer not null default 0,
  fetched_at integer not null default 0,
  failure text,
  validators text,
  digest blob,
  unique (source, part)
);
create table advisory (
  key integer primary key,
  part integer not null,
  id text not null,
  modified_at integer not null,
  is_imported integer not null,
  digest text not null,
  head text not null,
  unique (id, part)
);
create table package (
  key integer primary key,
  ecosystem text not null,
  name text not null,
  unique (ecosystem, name)
);
create table affected (
  key integer primary key,
  package integer not null,
  body text not null
);
create table named (
  key integer primary key,
  name text not null
);
create table kev (cve text primary key, part integer not null, body text not null) without rowid;
create table epss (cve text primary key, part integer not null, score real not null, percentile real not null) without rowid;
create table release (
  product text not null,
  release text not null,
  part integer not null,
  ends_on text,
  extended_ends_on text,
  primary key (product, release)
) without rowid;
`

/** Made when all rows are there: sorting them once is cheaper than keeping them sorted. */
export const snapshotIndexes =
  'create index affected_package on affected (package); create index named_name on named (name)'
export const dropSnapshotIndexes = 'drop index if exists affected_package; drop index if exists named_name'

/** How many rows of `affected`, and of `named`, an advisory may have; see {@link snapshotTables}. */
export const rowsPerAdvisory = 65_536
