import type { Migration } from '../migrate.js'

/** Who there is and who may do what; repositories that are shown under an organization's name. */
export const iam: Migration = {
  version: 4,
  statements: ({ id, int, text, bytes, table }) => [
    // null: as its organization.
    `alter table repositories add column public ${int} check (public in (0, 1))`,
    `alter table repositories add column description ${text} not null default ''`,
    table('identities', [
      `uidp ${text} primary key`,
      `group_uidp ${text} not null references groups (uidp)`,
      `name ${text} not null`,
      `description ${text} not null`,
      `kind ${text} not null check (kind in ('service', 'pull-token', 'oidc', 'any-user', 'user'))`,
      // Of 'oidc' and 'user': whose tokens stand for it.
      `issuer ${text}`,
      `subject ${text}`,
      // JSON, patterns by claim.
      `claims ${text}`,
      `audience ${text}`,
      // SHA-256 of a random secret of 'service' and 'pull-token'.
      `secret_hash ${bytes} unique`,
      // Of a pull token that reaches one repository only.
      `repository_uidp ${text}`,
      `created_at ${int} not null`,
      `expires_at ${int}`,
      'unique (group_uidp, name)',
    ]),
    // A user: one for each issuer and subject.
    "create unique index identities_user on identities (issuer, subject) where kind = 'user'",
    table('role_bindings', [
      `uidp ${text} primary key`,
      // '/' for the whole installation.
      `scope ${text} not null`,
      `identity_uidp ${text} not null references identities (uidp) on delete cascade`,
      `role ${text} not null`,
      `created_at ${int} not null`,
      'unique (identity_uidp, scope, role)',
    ]),
    'create index role_bindings_scope on role_bindings (scope)',
    table('signing_keys', [
      // The span of time in which it signs: so many processes that make one at once agree on it.
      `slot ${int} primary key`,
      `kid ${text} not null unique`,
      `private_jwk ${text} not null`,
      `created_at ${int} not null`,
    ]),
    table('refresh_tokens', [
      `hash ${bytes} primary key`,
      // All that came of one login; it dies when one of them is used twice.
      `family ${text} not null`,
      `subject ${text} not null`,
      `audience ${text} not null`,
      `narrowed ${text} not null`,
      `expires_at ${int} not null`,
      `used_at ${int}`,
    ]),
    'create index refresh_tokens_family on refresh_tokens (family)',
    'create index refresh_tokens_subject on refresh_tokens (subject)',
    'create index refresh_tokens_expires on refresh_tokens (expires_at)',
    table('revocations', [`token_id ${text} primary key`, `until_at ${int} not null`]),
    'create index revocations_until on revocations (until_at)',
    table('audit', [
      id,
      `at ${int} not null`,
      `actor ${text} not null`,
      `action ${text} not null`,
      `target ${text} not null`,
      `outcome ${text} not null check (outcome in ('granted', 'refused'))`,
      `reason ${text} not null`,
      // How often the same was refused in a row.
      `times ${int} not null check (times > 0)`,
    ]),
  ],
}
