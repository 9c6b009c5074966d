import type { CheckReport } from './check.js'
import type { DeliveriesReplayed, DeliveryList, DeliveryState } from './delivery.js'
import type { ImageDiff } from './diff.js'
import type { DigestResult } from './digest.js'
import type { History, HistoryExport, HistoryImportResult } from './history.js'
import type {
  AuditList,
  AuthStatus,
  Deleted,
  Group,
  GroupList,
  Identity,
  IdentityCreated,
  IdentityList,
  IssuedToken,
  KeysRotated,
  PullToken,
  RepositoryAdded,
  RepositoryList,
  RoleBinding,
  RoleBindingList,
  RoleName,
  SignInOptions,
} from './identity.js'
import type { EvidenceWish, PackageList } from './packages.js'
import type { WatchPlan } from './plan.js'
import type { Explanation, ScanReport } from './scan.js'
import type { TagList } from './tag-list.js'
import type { WatchAdded, WatchedTagList, WatchList, WatchRemoved } from './watch.js'

/** What each call takes and gives: the parameters and the body of the native API. */
export interface Calls {
  digest: { input: { reference: string; platform?: string; omitPlatforms?: boolean }; output: DigestResult }
  check: { input: { reference: string[]; since?: string; once?: boolean }; output: CheckReport }
  tags: { input: { repository: string; omitDigestTags?: boolean }; output: TagList }
  packages: { input: { source: string; platform?: string; evidence?: EvidenceWish }; output: PackageList }
  diff: {
    input: { from: string; to: string; platform?: string; files?: boolean; evidence?: EvidenceWish; since?: string }
    output: ImageDiff
  }
  scan: { input: { source: string; platform?: string; evidence?: EvidenceWish }; output: ScanReport }
  explain: { input: { id: string; source: string; platform?: string; evidence?: EvidenceWish }; output: Explanation }
  watchAdd: { input: { reference: string; every?: string; analyze?: boolean }; output: WatchAdded }
  watchAddRule: {
    input: {
      repository: string
      tags: string[]
      exclude?: string[]
      every?: string
      analyze?: boolean
      maxTags?: number
    }
    output: WatchAdded
  }
  plan: { input: { host?: string; tags?: boolean }; output: WatchPlan }
  watchList: { input: Record<string, never>; output: WatchList }
  watchRemove: { input: { reference: string; rule?: boolean }; output: WatchRemoved }
  history: {
    input: {
      reference: string
      start?: string
      end?: string
      /** The first so many in `order`; 1,000 at most and by default. */
      limit?: number
      order?: 'asc' | 'desc'
      cursor?: string
    }
    output: History
  }
  historyExport: { input: { reference: string }; output: HistoryExport }
  historyImport: { input: { reference: string } & HistoryExport; output: HistoryImportResult }
  deliveriesList: {
    input: { state?: DeliveryState; channel?: string; limit?: number; cursor?: string }
    output: DeliveryList
  }
  deliveriesReplay: { input: { id?: number[]; channel?: string }; output: DeliveriesReplayed }
  groupCreate: {
    /** `parent`: a group's name or id, for a folder. `id`: to be taken instead of a random one. */
    input: { name: string; parent?: string; id?: string; description?: string; public?: boolean }
    output: Group
  }
  groupList: { input: Record<string, never>; output: GroupList }
  groupDescribe: { input: { group: string }; output: Group }
  groupDelete: { input: { group: string }; output: Deleted }
  identityCreate: {
    input: {
      name: string
      group: string
      role?: RoleName[]
      /** `30d`; without it the identity lasts. */
      ttl?: string
      id?: string
      description?: string
      assumableBy?: 'any-user'
      issuer?: string
      subject?: string
      /** `CLAIM=GLOB` */
      claim?: string[]
      audience?: string
    }
    output: IdentityCreated
  }
  identityList: { input: { group?: string }; output: IdentityList }
  identityDescribe: { input: { id: string }; output: Identity }
  identityDelete: { input: { id: string }; output: Deleted }
  pullTokenCreate: {
    input: { group: string; name?: string; ttl?: string; repository?: string }
    output: PullToken
  }
  roleBindingCreate: { input: { identity: string; role: RoleName; group: string }; output: RoleBinding }
  roleBindingList: { input: { identity?: string }; output: RoleBindingList }
  roleBindingDescribe: { input: { id: string }; output: RoleBinding }
  roleBindingDelete: { input: { id: string }; output: Deleted }
  repoAdd: {
    input: { name: string; upstream: string; tags?: string[]; every?: string; public?: boolean }
    output: RepositoryAdded
  }
  repoList: { input: Record<string, never>; output: RepositoryList }
  repoRemove: { input: { name: string }; output: Deleted }
  tagList: { input: { name: string; limit?: number; cursor?: string }; output: WatchedTagList }
  authStatus: { input: Record<string, never>; output: AuthStatus }
  tokenIssue: { input: { audience?: string[]; withRefresh?: boolean }; output: IssuedToken }
  signInOptions: { input: Record<string, never>; output: SignInOptions }
  signIn: { input: { idToken: string; audience?: string[] }; output: IssuedToken }
  tokenRefresh: { input: { refreshToken: string; audience?: string[] }; output: IssuedToken }
  tokenRevoke: { input: { refreshToken?: string }; output: Deleted }
  auditList: { input: { limit?: number; cursor?: string }; output: AuditList }
  keysRotate: { input: Record<string, never>; output: KeysRotated }
}

/** The name of a call. */
export type CallName = keyof Calls

/** Method and path of each call. GET and DELETE take their input as query parameters, POST as a JSON body. */
export const routes: {
  readonly [Name in CallName]: { readonly method: 'GET' | 'POST' | 'DELETE'; readonly path: string }
} = {
  digest: { method: 'GET', path: '/api/v1/digest' },
  check: { method: 'POST', path: '/api/v1/check' },
  tags: { method: 'GET', path: '/api/v1/tags' },
  packages: { method: 'GET', path: '/api/v1/packages' },
  diff: { method: 'GET', path: '/api/v1/diff' },
  scan: { method: 'GET', path: '/api/v1/scan' },
  explain: { method: 'GET', path: '/api/v1/explain' },
  watchAdd: { method: 'POST', path: '/api/v1/watches' },
  watchAddRule: { method: 'POST', path: '/api/v1/watches/rules' },
  plan: { method: 'GET', path: '/api/v1/plan' },
  watchList: { method: 'GET', path: '/api/v1/watches' },
  watchRemove: { method: 'DELETE', path: '/api/v1/watches' },
  history: { method: 'GET', path: '/api/v1/history' },
  historyExport: { method: 'GET', path: '/api/v1/history/export' },
  historyImport: { method: 'POST', path: '/api/v1/history/import' },
  deliveriesList: { method: 'GET', path: '/api/v1/deliveries' },
  deliveriesReplay: { method: 'POST', path: '/api/v1/deliveries/replay' },
  groupCreate: { method: 'POST', path: '/api/v1/groups' },
  groupList: { method: 'GET', path: '/api/v1/groups' },
  groupDescribe: { method: 'GET', path: '/api/v1/groups/describe' },
  groupDelete: { method: 'DELETE', path: '/api/v1/groups' },
  identityCreate: { method: 'POST', path: '/api/v1/identities' },
  identityList: { method: 'GET', path: '/api/v1/identities' },
  identityDescribe: { method: 'GET', path: '/api/v1/identities/describe' },
  identityDelete: { method: 'DELETE', path: '/api/v1/identities' },
  pullTokenCreate: { method: 'POST', path: '/api/v1/pull-tokens' },
  roleBindingCreate: { method: 'POST', path: '/api/v1/role-bindings' },
  roleBindingList: { method: 'GET', path: '/api/v1/role-bindings' },
  roleBindingDescribe: { method: 'GET', path: '/api/v1/role-bindings/describe' },
  roleBindingDelete: { method: 'DELETE', path: '/api/v1/role-bindings' },
  repoAdd: { method: 'POST', path: '/api/v1/repositories' },
  repoList: { method: 'GET', path: '/api/v1/repositories' },
  repoRemove: { method: 'DELETE', path: '/api/v1/repositories' },
  tagList: { method: 'GET', path: '/api/v1/repositories/tags' },
  authStatus: { method: 'GET', path: '/api/v1/auth' },
  tokenIssue: { method: 'POST', path: '/api/v1/auth/token' },
  signInOptions: { method: 'GET', path: '/api/v1/auth/sign-in' },
  signIn: { method: 'POST', path: '/api/v1/auth/sign-in' },
  tokenRefresh: { method: 'POST', path: '/api/v1/auth/refresh' },
  tokenRevoke: { method: 'POST', path: '/api/v1/auth/revoke' },
  auditList: { method: 'GET', path: '/api/v1/audit' },
  keysRotate: { method: 'POST', path: '/api/v1/keys/rotate' },
}

/** Where server-sent events are read. */
export const eventsPath = '/api/v1/events'
