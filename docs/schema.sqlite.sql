create table meta (
  key text primary key,
  value text not null
) strict;
create table groups (
  uidp text primary key,
  parent_uidp text not null,
  name text not null,
  description text not null,
  public integer not null check (public in (0, 1)),
  created_at integer not null,
  unique (parent_uidp, name)
) strict;
create table lanes (
  id integer primary key,
  host text not null,
  credential text not null,
  share integer not null,
  paused_until integer,
  lease_owner text,
  lease_until integer not null,
  lease_epoch integer not null,
  watermark_at integer not null,
  unique (host, credential, share)
) strict;
create table upstreams (
  id integer primary key,
  lane_id integer not null references lanes (id),
  host text not null,
  path text not null,
  credential text not null,
  unique (host, path, credential)
) strict;
create index upstreams_lane on upstreams (lane_id);
create table repositories (
  id integer primary key,
  uidp text not null unique,
  group_uidp text not null references groups (uidp),
  name text not null,
  upstream_id integer not null references upstreams (id),
  created_at integer not null,
  unique (group_uidp, name)
) strict;
create index repositories_upstream on repositories (upstream_id);
create table content (
  id integer primary key,
  digest blob not null unique,
  size integer not null check (size >= 0),
  codec text not null check (codec in ('deflate')),
  created_at integer not null
) strict;
create table content_chunks (
  content_id integer not null references content (id),
  n integer not null,
  bytes blob not null,
  primary key (content_id, n)
) strict;
create table manifests (
  id integer primary key,
  digest blob not null unique,
  media_type text not null,
  size integer not null check (size >= 0),
  content_id integer references content (id),
  artifact_type text,
  subject_id integer references manifests (id),
  config_digest blob
) strict;
create index manifests_subject on manifests (subject_id);
create table manifest_children (
  index_id integer not null references manifests (id),
  position integer not null,
  manifest_id integer not null references manifests (id),
  platform text,
  annotations text,
  primary key (index_id, position)
) strict;
create index manifest_children_manifest on manifest_children (manifest_id);
create table tags (
  id integer primary key,
  upstream_id integer not null references upstreams (id),
  name text not null,
  suid blob not null,
  manifest_id integer references manifests (id),
  state text not null check (state in ('unseen', 'present', 'absent', 'unknown')),
  reason text,
  state_since integer not null,
  first_seen_at integer,
  checked_at integer,
  moved_at integer,
  history_version integer not null,
  unique (upstream_id, name),
  unique (upstream_id, suid)
) strict;
create table watches (
  id integer primary key,
  repository_id integer not null references repositories (id),
  tag_id integer not null references tags (id),
  every_ms integer check (every_ms > 0),
  origin text not null check (origin in ('command', 'config', 'rule')),
  created_at integer not null,
  removed_at integer,
  changed_seq integer not null,
  unique (repository_id, tag_id)
) strict;
create index watches_tag on watches (tag_id);
create table watch_rules (
  id integer primary key,
  repository_id integer not null references repositories (id),
  tags text not null,
  exclude text not null,
  every_ms integer check (every_ms > 0),
  max_tags integer not null check (max_tags > 0),
  origin text not null check (origin in ('command', 'config')),
  unique (repository_id, origin)
) strict;
create table history (
  tag_id integer not null references tags (id),
  at integer not null,
  manifest_id integer not null references manifests (id),
  kind text not null check (kind in ('first-seen', 'moved', 'rolled-back', 'removed', 're-created')),
  changes text,
  source text not null check (source in ('head', 'reported', 'import')),
  not_before integer,
  seen_at integer,
  pushed_at integer,
  primary key (tag_id, at, manifest_id)
) strict, without rowid;
create index history_manifest on history (manifest_id);
create table gaps (
  id integer primary key,
  tag_id integer references tags (id),
  lane_id integer references lanes (id),
  from_at integer not null,
  to_at integer check (to_at >= from_at),
  reason text not null,
  check ((tag_id is null) <> (lane_id is null))
) strict;
create index gaps_tag on gaps (tag_id, from_at);
create index gaps_lane on gaps (lane_id, from_at);
create table events (
  id integer primary key,
  at integer not null,
  type text not null,
  tag_id integer not null references tags (id),
  body text not null
) strict;
create table channels (
  id integer primary key,
  kind text not null,
  name text not null,
  cursor_event_id integer not null,
  paused_at integer,
  unique (kind, name)
) strict;
create table deliveries (
  id integer primary key,
  channel_id integer not null references channels (id),
  event_id integer not null references events (id),
  state text not null check (state in ('due', 'sent', 'dead')),
  attempts integer not null,
  next_at integer,
  lease_until integer not null,
  lease_epoch integer not null,
  fault text,
  done_at integer,
  unique (channel_id, event_id)
) strict;
create index deliveries_due on deliveries (next_at) where state = 'due';
create table hosts (
  host text primary key,
  profile text not null,
  learned_at integer not null
) strict;
create table layers (
  digest blob not null,
  capture text not null,
  diff_id blob not null,
  size integer not null,
  unpacked_size integer not null,
  files_content_id integer not null references content (id),
  evidence_content_id integer not null references content (id),
  created_at integer not null,
  primary key (digest, capture)
) strict;
create index layers_diff_id on layers (diff_id, capture);
create table inventories (
  digest blob not null,
  readers text not null,
  content_id integer not null references content (id),
  created_at integer not null,
  primary key (digest, readers)
) strict;
alter table watches add column is_analyzed integer check (is_analyzed in (0, 1));
alter table watch_rules add column is_analyzed integer check (is_analyzed in (0, 1));
alter table repositories add column public integer check (public in (0, 1));
alter table repositories add column description text not null default '';
create table identities (
  uidp text primary key,
  group_uidp text not null references groups (uidp),
  name text not null,
  description text not null,
  kind text not null check (kind in ('service', 'pull-token', 'oidc', 'any-user', 'user')),
  issuer text,
  subject text,
  claims text,
  audience text,
  secret_hash blob unique,
  repository_uidp text,
  created_at integer not null,
  expires_at integer,
  unique (group_uidp, name)
) strict;
create unique index identities_user on identities (issuer, subject) where kind = 'user';
create table role_bindings (
  uidp text primary key,
  scope text not null,
  identity_uidp text not null references identities (uidp) on delete cascade,
  role text not null,
  created_at integer not null,
  unique (identity_uidp, scope, role)
) strict;
create index role_bindings_scope on role_bindings (scope);
create table signing_keys (
  slot integer primary key,
  kid text not null unique,
  private_jwk text not null,
  created_at integer not null
) strict;
create table refresh_tokens (
  hash blob primary key,
  family text not null,
  subject text not null,
  audience text not null,
  narrowed text not null,
  expires_at integer not null,
  used_at integer
) strict;
create index refresh_tokens_family on refresh_tokens (family);
create index refresh_tokens_subject on refresh_tokens (subject);
create index refresh_tokens_expires on refresh_tokens (expires_at);
create table revocations (
  token_id text primary key,
  until_at integer not null
) strict;
create index revocations_until on revocations (until_at);
create table audit (
  id integer primary key,
  at integer not null,
  actor text not null,
  action text not null,
  target text not null,
  outcome text not null check (outcome in ('granted', 'refused')),
  reason text not null,
  times integer not null check (times > 0)
) strict;
create table hints (
  id integer primary key,
  lane_id integer not null references lanes (id),
  tag_id integer unique references tags (id) on delete cascade,
  rule_id integer unique references watch_rules (id) on delete cascade,
  hinted_at integer not null,
  check ((tag_id is null) <> (rule_id is null))
) strict;
create index hints_lane on hints (lane_id);
alter table tags add column planned_ms integer check (planned_ms > 0);
alter table upstreams add column is_listed integer not null default 0 check (is_listed in (0, 1));
create table settling (
  tag_id integer primary key references tags (id),
  from_manifest_id integer references manifests (id),
  began_at integer not null,
  until_at integer not null check (until_at >= began_at)
) strict;
create index settling_until on settling (until_at);
