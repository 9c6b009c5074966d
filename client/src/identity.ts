/** A role that a token or an identity can have. */
export type RoleName = 'viewer' | 'editor' | 'owner' | 'registry.pull' | 'registry.pull_token_creator'

/** An organization, or a folder below one. */
export interface Group {
  /** Its UIDP: 40 hex digits, then `/` and 16 for each folder. */
  id: string
  name: string
  description: string
  /** Whether everybody may pull and read what is in it. */
  public: boolean
  createdAt: string
}

/** The body of `tidemark iam group list -o json`. */
export interface GroupList {
  groups: Group[]
}

/** What was deleted, by its id; or nothing, because it was not there. */
export interface Deleted {
  id: string
  deleted: boolean
}

/** Somebody or something that may be given roles. */
export interface Identity {
  id: string
  /** The group that it belongs to. */
  group: string
  name: string
  description: string
  /** How it is shown: a secret of its own, one for registries only, another issuer's token, any login, a person's login. */
  kind: 'service' | 'pull-token' | 'oidc' | 'any-user' | 'user'
  issuer: string | null
  /** Of `oidc`: a glob. */
  subject: string | null
  /** The only repository that it reaches, by its id. */
  repository: string | null
  createdAt: string
  /** null: never. */
  expiresAt: string | null
}

/** What making an identity gave. */
export interface IdentityCreated {
  identity: Identity
  /** Its secret, told this once; null for one that has none. */
  token: string | null
}

/** The body of `tidemark iam identity list -o json`. */
export interface IdentityList {
  identities: Identity[]
}

/** A role that an identity has on a group and all below it. */
export interface RoleBinding {
  id: string
  identity: string
  role: string
  /** The group's id; `/` for the whole installation. */
  group: string
  createdAt: string
}

/** The body of `tidemark iam role-binding list -o json`. */
export interface RoleBindingList {
  roleBindings: RoleBinding[]
}

/** A name and password for registries, told this once. */
export interface PullToken {
  id: string
  username: string
  password: string
  expiresAt: string
}

/** A repository under an organization's name. */
export interface BoundRepository {
  id: string
  /** `ORG/NAME`; in `default` the whole name of the upstream. */
  name: string
  upstream: string
  public: boolean
  createdAt: string
}

/** What binding a repository gave. */
export interface RepositoryAdded {
  repository: BoundRepository
  /** Globs of the tags that are watched; none: nothing is. */
  tags: string[]
}

/** The body of `tidemark repo list -o json`. */
export interface RepositoryList {
  repositories: BoundRepository[]
}

/** A signed token. */
export interface IssuedToken {
  token: string
  /** Empty where none was asked for. */
  refreshToken: string
  audience: string[]
  expiresAt: string
}

/** How people sign in to a server. */
export interface SignInOptions {
  /** The OpenID provider that they sign in at; null where there is none. */
  oidc: {
    issuer: string
    clientId: string
    /** Of a provider that gives desktop programs one; it is no secret (RFC 8252 section 8.5). */
    clientSecret: string | null
    scopes: string[]
  } | null
}

/** Who the caller is, and what the server is called. */
export interface AuthStatus {
  /** `admin`, `token:NAME`, or an identity's id. */
  name: string
  kind: 'admin' | 'token' | 'identity'
  /** null: what was shown lasts. */
  expiresAt: string | null
  issuer: string
  /** The audience of the API. */
  platform: string
  /** The audience of the registry: `HOST[:PORT]`. */
  registry: string
  grants: { scope: string; capabilities: string[] }[]
}

/** One line of the audit log. */
export interface AuditLine {
  id: number
  at: string
  actor: string
  action: string
  target: string
  outcome: 'granted' | 'refused'
  reason: string
  /** How often within some seconds. */
  times: number
}

/** The body of `tidemark iam audit -o json`, newest first. */
export interface AuditList {
  lines: AuditLine[]
}

/** New keys sign from now on. */
export interface KeysRotated {
  rotated: boolean
}
