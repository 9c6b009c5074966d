import { Type } from 'typebox'
import type { RoleName } from '../../client/src/index.js'
import { limits } from '../core/limits.js'
import { roleNames } from '../iam/capabilities.js'
import { define } from './define-operation.js'
import { closed, digest, nullable, time, words } from './schema-pieces.js'
import { cursor, limit } from './schemas.js'

const optional = Type.Optional
const nothing = Type.Unsafe<Record<string, never>>(Type.Object({}, closed))
const text = (description: string, maxLength = 300) => Type.String({ minLength: 1, maxLength, description })
const id = text('an id: 40 hex digits, then / and 16 for each step below')
const state = words(['unseen', 'present', 'absent', 'unknown'], 'what is known of the tag')
const groupName = text('name of an organization, ORG/FOLDER, or an id')
const ttl = optional(text('how long it is good: 30d, 12h', 20))
const role = words<readonly RoleName[]>(roleNames, 'a set of capabilities')
const audience = optional(
  Type.Array(text('an audience of this server: its URL, or HOST[:PORT] of its registry', 500), { maxItems: 4 }),
)

const group = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    description: Type.String(),
    public: Type.Boolean(),
    createdAt: time('when'),
  },
  closed,
)
const deleted = Type.Object({ id: Type.String(), deleted: Type.Boolean() }, closed)
const identity = Type.Object(
  {
    id: Type.String(),
    group: Type.String(),
    name: Type.String(),
    description: Type.String(),
    kind: words(['service', 'pull-token', 'oidc', 'any-user', 'user'], 'how it is shown'),
    issuer: nullable(Type.String()),
    subject: nullable(Type.String()),
    repository: nullable(Type.String()),
    createdAt: time('when'),
    expiresAt: nullable(time('until when')),
  },
  closed,
)
const roleBinding = Type.Object(
  { id: Type.String(), identity: Type.String(), role: Type.String(), group: Type.String(), createdAt: time('when') },
  closed,
)
const repository = Type.Object(
  { id: Type.String(), name: Type.String(), upstream: Type.String(), public: Type.Boolean(), createdAt: time('when') },
  closed,
)
const issuedToken = Type.Object(
  {
    token: Type.String(),
    refreshToken: Type.String({ description: 'empty where none was asked for' }),
    audience: Type.Array(Type.String()),
    expiresAt: time('until when'),
  },
  closed,
)
const auditLine = Type.Object(
  {
    id: Type.Integer(),
    at: time('when'),
    actor: Type.String(),
    action: Type.String(),
    target: Type.String(),
    outcome: words(['granted', 'refused'], 'what came of it'),
    reason: Type.String(),
    times: Type.Integer(),
  },
  closed,
)

/** The schemas of the operations about identities: see `operationSchemas`. */
export const iamOperationSchemas = {
  groupCreate: define(
    'groupCreate',
    Type.Object(
      {
        name: text('a name', 100),
        parent: optional(groupName),
        id: optional(id),
        description: optional(Type.String({ maxLength: 1_000 })),
        public: optional(Type.Boolean({ description: 'everybody may pull and read what is in it' })),
      },
      closed,
    ),
    group,
    true,
  ),
  groupList: define('groupList', nothing, Type.Object({ groups: Type.Array(group) }, closed), true),
  groupDescribe: define('groupDescribe', Type.Object({ group: groupName }, closed), group, true),
  groupDelete: define('groupDelete', Type.Object({ group: groupName }, closed), deleted, true),
  identityCreate: define(
    'identityCreate',
    Type.Object(
      {
        name: text('a name', 100),
        group: groupName,
        role: optional(Type.Array(role, { maxItems: 10 })),
        ttl,
        id: optional(id),
        description: optional(Type.String({ maxLength: 1_000 })),
        assumableBy: optional(words(['any-user'], 'every signed-in user may assume it')),
        issuer: optional(text('the issuer whose tokens stand for it', 2_000)),
        subject: optional(text('glob for the subject of such a token', 500)),
        claim: optional(Type.Array(text('CLAIM=GLOB', 620), { maxItems: 20 })),
        audience: optional(text('the audience of such a token; ours when left out', 500)),
      },
      closed,
    ),
    Type.Object({ identity, token: nullable(Type.String({ description: 'told this once' })) }, closed),
    true,
  ),
  identityList: define(
    'identityList',
    Type.Object({ group: optional(groupName) }, closed),
    Type.Object({ identities: Type.Array(identity) }, closed),
    true,
  ),
  identityDescribe: define('identityDescribe', Type.Object({ id }, closed), identity, true),
  identityDelete: define('identityDelete', Type.Object({ id }, closed), deleted, true),
  pullTokenCreate: define(
    'pullTokenCreate',
    Type.Object(
      {
        group: groupName,
        name: optional(text('a name', 100)),
        ttl,
        repository: optional(text('ORG/NAME: the only one that it reaches')),
      },
      closed,
    ),
    Type.Object(
      { id: Type.String(), username: Type.String(), password: Type.String(), expiresAt: time('until when') },
      closed,
    ),
    true,
  ),
  roleBindingCreate: define(
    'roleBindingCreate',
    Type.Object({ identity: id, role, group: groupName }, closed),
    roleBinding,
    true,
  ),
  roleBindingList: define(
    'roleBindingList',
    Type.Object({ identity: optional(id) }, closed),
    Type.Object({ roleBindings: Type.Array(roleBinding) }, closed),
    true,
  ),
  roleBindingDescribe: define('roleBindingDescribe', Type.Object({ id }, closed), roleBinding, true),
  roleBindingDelete: define('roleBindingDelete', Type.Object({ id }, closed), deleted, true),
  repoAdd: define(
    'repoAdd',
    Type.Object(
      {
        name: text('ORG/NAME'),
        upstream: text('[HOST[:PORT]/]REPOSITORY, without tag', 600),
        tags: optional(Type.Array(text('glob of tags to watch', 200), { maxItems: 100 })),
        every: optional(text('how often they are looked at: 5m', 20)),
        public: optional(Type.Boolean({ description: 'everybody may pull and read it; as its group when left out' })),
      },
      closed,
    ),
    Type.Object({ repository, tags: Type.Array(Type.String()) }, closed),
    true,
  ),
  repoList: define('repoList', nothing, Type.Object({ repositories: Type.Array(repository) }, closed), true),
  repoRemove: define('repoRemove', Type.Object({ name: text('ORG/NAME') }, closed), deleted, true),
  tagList: define(
    'tagList',
    Type.Object(
      { name: text('ORG/NAME, or a reference', 600), limit: optional(limit), cursor: optional(cursor) },
      closed,
    ),
    Type.Object(
      {
        repository: Type.String(),
        upstream: Type.String(),
        tags: Type.Array(
          Type.Object(
            {
              ...{ tag: Type.String(), digest: nullable(digest), state, reason: nullable(Type.String()) },
              movedAt: nullable(time('when it last moved, as its history has it')),
              checkedAt: nullable(time('when it was last looked at')),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    true,
  ),
  authStatus: define(
    'authStatus',
    nothing,
    Type.Object(
      {
        name: Type.String(),
        kind: words(['admin', 'token', 'identity'], 'what was shown'),
        expiresAt: nullable(time('until when')),
        issuer: Type.String(),
        platform: Type.String({ description: 'the audience of the API' }),
        registry: Type.String({ description: 'the audience of the registry' }),
        grants: Type.Array(Type.Object({ scope: Type.String(), capabilities: Type.Array(Type.String()) }, closed)),
      },
      closed,
    ),
    true,
  ),
  tokenIssue: define(
    'tokenIssue',
    Type.Object({ audience, withRefresh: optional(Type.Boolean()) }, closed),
    issuedToken,
    true,
  ),
  signInOptions: define(
    'signInOptions',
    nothing,
    Type.Object(
      {
        oidc: nullable(
          Type.Object(
            {
              issuer: Type.String(),
              clientId: Type.String(),
              clientSecret: nullable(Type.String({ description: 'of a desktop program: no secret' })),
              scopes: Type.Array(Type.String()),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    true,
  ),
  signIn: define(
    'signIn',
    Type.Object({ idToken: text('an ID token that was just issued', limits.bearerCharacters), audience }, closed),
    issuedToken,
    true,
  ),
  tokenRefresh: define(
    'tokenRefresh',
    Type.Object({ refreshToken: text('good once', 200), audience }, closed),
    issuedToken,
    true,
  ),
  tokenRevoke: define(
    'tokenRevoke',
    Type.Object({ refreshToken: optional(text('ends with the login', 200)) }, closed),
    deleted,
    true,
  ),
  auditList: define(
    'auditList',
    Type.Object(
      {
        limit: optional(Type.Integer({ minimum: 1, maximum: 1_000, description: 'at most so many; 100 by default' })),
        cursor: optional(Type.String({ maxLength: 200, description: 'where the page before ended' })),
      },
      closed,
    ),
    Type.Object({ lines: Type.Array(auditLine) }, closed),
    true,
  ),
  keysRotate: define('keysRotate', nothing, Type.Object({ rotated: Type.Boolean() }, closed), true),
}
