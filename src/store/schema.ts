import type { Generated, Kysely, Transaction } from 'kysely'

type Id = Generated<number>

/** The tables, as Kysely sees them. What each column means stands in the migrations. */
export interface Tables {
  meta: { key: string; value: string }
  groups: { uidp: string; parent_uidp: string; name: string; description: string; public: number; created_at: number }
  lanes: {
    id: Id
    host: string
    credential: string
    share: number
    paused_until: number | null
    lease_owner: string | null
    lease_until: number
    lease_epoch: number
    watermark_at: number
  }
  upstreams: { id: Id; lane_id: number; host: string; path: string; credential: string; is_listed: Generated<number> }
  repositories: {
    id: Id
    uidp: string
    group_uidp: string
    name: string
    upstream_id: number
    created_at: number
    public: number | null
    description: Generated<string>
  }
  content: { id: Id; digest: Uint8Array; size: number; codec: string; created_at: number }
  content_chunks: { content_id: number; n: number; bytes: Uint8Array }
  manifests: {
    id: Id
    digest: Uint8Array
    media_type: string
    size: number
    content_id: number | null
    artifact_type: string | null
    subject_id: number | null
    config_digest: Uint8Array | null
  }
  manifest_children: {
    index_id: number
    position: number
    manifest_id: number
    platform: string | null
    annotations: string | null
  }
  tags: {
    id: Id
    upstream_id: number
    name: string
    suid: Uint8Array
    manifest_id: number | null
    state: string
    reason: string | null
    state_since: number
    first_seen_at: number | null
    checked_at: number | null
    moved_at: number | null
    history_version: number
    planned_ms: number | null
  }
  watches: {
    id: Id
    repository_id: number
    tag_id: number
    every_ms: number | null
    is_analyzed: number | null
    origin: string
    created_at: number
    removed_at: number | null
    changed_seq: number
  }
  watch_rules: {
    id: Id
    repository_id: number
    tags: string
    exclude: string
    every_ms: number | null
    is_analyzed: number | null
    max_tags: number
    origin: string
  }
  history: {
    tag_id: number
    at: number
    manifest_id: number
    kind: string
    changes: string | null
    source: string
    not_before: number | null
    seen_at: number | null
    pushed_at: number | null
  }
  gaps: { id: Id; tag_id: number | null; lane_id: number | null; from_at: number; to_at: number | null; reason: string }
  events: { id: number; at: number; type: string; tag_id: number; body: string }
  channels: { id: Id; kind: string; name: string; cursor_event_id: number; paused_at: number | null }
  deliveries: {
    id: Id
    channel_id: number
    event_id: number
    state: string
    attempts: number
    next_at: number | null
    lease_until: number
    lease_epoch: number
    fault: string | null
    done_at: number | null
  }
  settling: { tag_id: number; from_manifest_id: number | null; began_at: number; until_at: number }
  hints: { id: Id; lane_id: number; tag_id: number | null; rule_id: number | null; hinted_at: number }
  layers: {
    digest: Uint8Array
    capture: string
    diff_id: Uint8Array
    size: number
    unpacked_size: number
    files_content_id: number
    evidence_content_id: number
    created_at: number
  }
  inventories: { digest: Uint8Array; readers: string; content_id: number; created_at: number }
  identities: {
    uidp: string
    group_uidp: string
    name: string
    description: string
    kind: string
    issuer: string | null
    subject: string | null
    claims: string | null
    audience: string | null
    secret_hash: Uint8Array | null
    repository_uidp: string | null
    created_at: number
    expires_at: number | null
  }
  role_bindings: { uidp: string; scope: string; identity_uidp: string; role: string; created_at: number }
  signing_keys: { slot: number; kid: string; private_jwk: string; created_at: number }
  refresh_tokens: {
    hash: Uint8Array
    family: string
    subject: string
    audience: string
    narrowed: string
    expires_at: number
    used_at: number | null
  }
  revocations: { token_id: string; until_at: number }
  audit: {
    id: Id
    at: number
    actor: string
    action: string
    target: string
    outcome: string
    reason: string
    times: number
  }
  hosts: { host: string; profile: string; learned_at: number }
}

/** Reads and single writes. */
export type Database = Kysely<Tables>
/** A transaction, or the database itself. */
export type Queries = Database | Transaction<Tables>

/** What the stores of single aggregates share. */
export interface StoreContext {
  readonly db: Database
  readonly dialect: SqlDialect
  readonly now: () => number
}

/** The little in which the two databases differ. */
export type SqlDialect = 'sqlite' | 'postgres'

/** In `history`, a manifest that stands for "at nothing": the tag was removed. */
export const nothing = 0
