import type { Scope, Uidp } from '../core/identity.js'
import type { Repository } from '../core/reference.js'

/** Who there is, who may do what, and what they hold: a part of `Store`. */
export interface IamStores {
  readonly groups: GroupStore
  readonly repositories: RepositoryStore
  readonly identities: IdentityStore
  readonly roleBindings: RoleBindingStore
  readonly tokens: TokenStore
  readonly audit: AuditStore
}

/** An organization, or a folder below one. */
export interface GroupRecord {
  readonly uidp: Uidp
  readonly name: string
  readonly description: string
  /** Whether everybody may pull and read what is in it, where a repository does not say otherwise. */
  readonly isPublic: boolean
  readonly createdAt: number
}

/** See `Store.groups`. */
export interface GroupStore {
  /**
   * Makes a group below `parent`.
   * @param group.uidp given, or random; one that is given lies directly below `parent`
   * @throws Fault `conflict` when the name or the id is taken; `not-found` when there is no such parent
   */
  create(group: {
    parent: Scope
    name: string
    description: string
    isPublic: boolean
    uidp?: Uidp | undefined
  }): Promise<GroupRecord>
  /** All groups, by UIDP. */
  list(): Promise<readonly GroupRecord[]>
  find(uidp: Uidp): Promise<GroupRecord | null>
  /** The organization of that name. */
  findByName(name: string): Promise<GroupRecord | null>
  /** Changes what is given. @throws Fault `conflict` when the name is taken */
  update(uidp: Uidp, change: { name?: string; description?: string; isPublic?: boolean }): Promise<GroupRecord | null>
  /** @throws Fault `conflict` while something is in it */
  remove(uidp: Uidp): Promise<boolean>
}

/** A repository under an organization's name, bound to one on a registry. */
export interface RepositoryRecord {
  readonly uidp: Uidp
  readonly group: Uidp
  /** `nginx`; in `default` the whole name of the upstream. */
  readonly name: string
  /** `ORG/nginx`, folders included; in `default` the whole name of the upstream. */
  readonly fullName: string
  readonly upstream: Repository
  readonly description: string
  /** Whether everybody may pull and read it: its own word, or else its group's. */
  readonly isPublic: boolean
  readonly createdAt: number
}

/** Which tags of a repository's upstream are followed. */
export interface RepositoryRule {
  readonly tags: readonly string[]
  /** null: the server's default. */
  readonly everyMs: number | null
  readonly maxTags: number
}

/** See `Store.repositories`. */
export interface RepositoryStore {
  /**
   * Binds a name of a group to an upstream, and follows its tags where a rule is given.
   * @param repository.isPublic null: as its group
   * @throws Fault `conflict` when the name is taken, `not-found` when there is no such group
   */
  create(repository: {
    group: Uidp
    name: string
    upstream: Repository
    description: string
    isPublic: boolean | null
    rule: RepositoryRule | null
  }): Promise<RepositoryRecord>
  /** All repositories, by UIDP. */
  list(): Promise<readonly RepositoryRecord[]>
  find(uidp: Uidp): Promise<RepositoryRecord | null>
  /** By its name on our registry: `ORG/NAME`, or the whole name of the upstream for one in `default`. */
  findByName(fullName: string): Promise<RepositoryRecord | null>
  /** Changes what is given. @throws Fault `conflict` when the name is taken */
  update(
    uidp: Uidp,
    change: { name?: string; description?: string; isPublic?: boolean | null },
  ): Promise<RepositoryRecord | null>
  /** Ends the binding, its rule and its watches. The history stays: it belongs to the upstream. */
  remove(uidp: Uidp): Promise<boolean>
}

/**
 * `service`: has a secret of its own. `pull-token`: likewise, for registries only. `oidc`: whoever shows a token of an issuer
 * with a subject and claims. `any-user`: whoever is signed in. `user`: a person who signed in by OIDC.
 */
export type IdentityKind = 'service' | 'pull-token' | 'oidc' | 'any-user' | 'user'

/** Somebody or something that may be given roles. */
export interface IdentityRecord {
  readonly uidp: Uidp
  readonly group: Uidp
  readonly name: string
  readonly description: string
  readonly kind: IdentityKind
  readonly issuer: string | null
  /** A pattern for `oidc`, the very subject for `user`. */
  readonly subject: string | null
  /** Patterns by claim for `oidc`; for `user`, what fitted when they signed in, by rule. */
  readonly claims: Readonly<Record<string, string>>
  readonly audience: string | null
  /** SHA-256 of its secret. */
  readonly secretHash: Uint8Array | null
  /** The only repository that it reaches. */
  readonly repository: Uidp | null
  readonly createdAt: number
  readonly expiresAt: number | null
}

/** What of an identity may be changed: never what kind it is, nor where it lies. */
export type IdentityChange = Partial<
  Pick<IdentityRecord, 'name' | 'description' | 'issuer' | 'subject' | 'claims' | 'audience'>
>

/** See `Store.identities`. */
export interface IdentityStore {
  /**
   * Makes an identity with its roles on `scope`, in one transaction.
   * @throws Fault `conflict` when the name or the id is taken, `not-found` when there is no such group
   */
  create(
    identity: Omit<IdentityRecord, 'uidp' | 'createdAt'> & { uidp?: Uidp | undefined },
    bindings: readonly { scope: Scope; role: string }[],
  ): Promise<IdentityRecord>
  /** All identities, by UIDP. */
  list(): Promise<readonly IdentityRecord[]>
  find(uidp: Uidp): Promise<IdentityRecord | null>
  findByHash(secretHash: Uint8Array): Promise<IdentityRecord | null>
  findUser(issuer: string, subject: string): Promise<IdentityRecord | null>
  /** Changes what is given. @throws Fault `conflict` when the name is taken */
  update(uidp: Uidp, change: IdentityChange): Promise<IdentityRecord | null>
  /** With its bindings and refresh tokens: what it holds is refused from now on. */
  remove(uidp: Uidp): Promise<boolean>
}

/** A role that an identity has on a scope and all below it. */
export interface RoleBindingRecord {
  readonly uidp: Uidp
  readonly scope: Scope
  readonly identity: Uidp
  readonly role: string
  readonly createdAt: number
}

/** See `Store.roleBindings`. */
export interface RoleBindingStore {
  /** @throws Fault `conflict` when it is there already, `not-found` when there is no such identity or group */
  create(binding: { scope: Scope; identity: Uidp; role: string }): Promise<RoleBindingRecord>
  /** All bindings, by UIDP; of one identity where it is given. */
  list(identity?: Uidp): Promise<readonly RoleBindingRecord[]>
  find(uidp: Uidp): Promise<RoleBindingRecord | null>
  /** Gives another role, or gives it to another. @throws Fault as `create` */
  update(uidp: Uidp, change: { identity: Uidp; role: string }): Promise<RoleBindingRecord | null>
  remove(uidp: Uidp): Promise<boolean>
}

/** A key that signs tokens during one slot of time. */
export interface SigningKeyRecord {
  readonly slot: number
  readonly kid: string
  /** JWK (RFC 7517) with its private part: who reads the database can sign. */
  readonly privateJwk: string
}

/** What a refresh token stands for. */
export interface RefreshRecord {
  readonly hash: Uint8Array
  readonly family: string
  /** As the claim `sub`. */
  readonly subject: string
  readonly audience: readonly string[]
  /** JSON, opaque to the store. */
  readonly narrowed: string
  readonly expiresAt: number
}

/** See `Store.tokens`. */
export interface TokenStore {
  keys(): Promise<readonly SigningKeyRecord[]>
  /** Keeps a key unless its slot has one already; forgets those before `keepFrom`. Gives all that there are then. */
  addKey(key: SigningKeyRecord, keepFrom: number): Promise<readonly SigningKeyRecord[]>
  /** Forgets every key: whatever they signed is refused from now on. */
  removeKeys(): Promise<void>
  /** Keeps a refresh token, and forgets those that have expired. */
  addRefresh(record: RefreshRecord): Promise<void>
  /**
   * Uses a refresh token once. `used`: it was used before, so somebody stole it or the thief was first; its whole family is gone now.
   * `unknown`: never there, expired, or gone.
   */
  useRefresh(hash: Uint8Array, now: number): Promise<RefreshRecord | 'used' | 'unknown'>
  /** Forgets the family of a refresh token. */
  removeRefresh(hash: Uint8Array): Promise<void>
  /** Refuses a signed token until it expires by itself. */
  revoke(tokenId: string, untilAt: number): Promise<void>
  isRevoked(tokenId: string): Promise<boolean>
}

/** One line of the audit log. */
export interface AuditRecord {
  readonly at: number
  /** As the claim `sub`, or `anonymous`. */
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly outcome: 'granted' | 'refused'
  readonly reason: string
  readonly times: number
}

/** See `Store.audit`. */
export interface AuditStore {
  /** Appends lines. Of all lines the newest 100,000 stay. */
  append(records: readonly AuditRecord[]): Promise<void>
  /** Newest first. */
  list(filter: { limit: number; before?: number }): Promise<readonly (AuditRecord & { readonly id: number })[]>
}
