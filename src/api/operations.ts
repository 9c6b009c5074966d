import type { CallName } from '../../client/src/index.js'
import {
  auditList,
  authStatus,
  keysRotate,
  signIn,
  signInOptions,
  tokenIssue,
  tokenRefresh,
  tokenRevoke,
} from './auth.js'
import { check } from './check.js'
import { deliveriesList, deliveriesReplay } from './deliveries.js'
import { diff } from './diff.js'
import { digest } from './digest.js'
import { groupCreate, groupDelete, groupDescribe, groupList } from './groups.js'
import { history, historyExport, historyImport } from './history.js'
import { identityCreate, identityDelete, identityDescribe, identityList, pullTokenCreate } from './identities.js'
import type { Operation } from './operation.js'
import { packages } from './packages.js'
import { repoAdd, repoList, repoRemove } from './repositories.js'
import { roleBindingCreate, roleBindingDelete, roleBindingDescribe, roleBindingList } from './role-bindings.js'
import { explain, scan } from './scan.js'
import { tagList } from './tag-list.js'
import { tags } from './tags.js'
import { watchAdd, watchAddRule } from './watch-add.js'
import { watchList } from './watch-list.js'
import { watchRemove } from './watch-remove.js'

/** Every operation, by its name: a call of the client without an operation here does not compile. */
export const operations: { readonly [Name in CallName]: Operation<Name> } = {
  digest,
  check,
  tags,
  packages,
  diff,
  scan,
  explain,
  watchAdd,
  watchAddRule,
  watchList,
  watchRemove,
  history,
  historyExport,
  historyImport,
  deliveriesList,
  deliveriesReplay,
  groupCreate,
  groupList,
  groupDescribe,
  groupDelete,
  identityCreate,
  identityList,
  identityDescribe,
  identityDelete,
  pullTokenCreate,
  roleBindingCreate,
  roleBindingList,
  roleBindingDescribe,
  roleBindingDelete,
  repoAdd,
  repoList,
  repoRemove,
  tagList,
  authStatus,
  tokenIssue,
  signInOptions,
  signIn,
  tokenRefresh,
  tokenRevoke,
  auditList,
  keysRotate,
}
