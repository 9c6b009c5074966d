import type { CallName } from '../../client/src/index.js'
import type { Operation } from './operation.js'

/**
 * Every operation, by its name: a call of the client without an operation here does not compile. Each is loaded when it is asked
 * for: a command needs one of them.
 */
export const operations: { readonly [Name in CallName]: () => Promise<Operation<Name>> } = {
  digest: async () => (await import('./digest.js')).digest,
  check: async () => (await import('./check.js')).check,
  tags: async () => (await import('./tags.js')).tags,
  packages: async () => (await import('./packages.js')).packages,
  diff: async () => (await import('./diff.js')).diff,
  scan: async () => (await import('./scan.js')).scan,
  explain: async () => (await import('./scan.js')).explain,
  watchAdd: async () => (await import('./watch-add.js')).watchAdd,
  watchAddRule: async () => (await import('./watch-add.js')).watchAddRule,
  plan: async () => (await import('./plan.js')).plan,
  watchList: async () => (await import('./watch-list.js')).watchList,
  watchRemove: async () => (await import('./watch-remove.js')).watchRemove,
  history: async () => (await import('./history.js')).history,
  historyExport: async () => (await import('./history.js')).historyExport,
  historyImport: async () => (await import('./history.js')).historyImport,
  deliveriesList: async () => (await import('./deliveries.js')).deliveriesList,
  deliveriesReplay: async () => (await import('./deliveries.js')).deliveriesReplay,
  groupCreate: async () => (await import('./groups.js')).groupCreate,
  groupList: async () => (await import('./groups.js')).groupList,
  groupDescribe: async () => (await import('./groups.js')).groupDescribe,
  groupDelete: async () => (await import('./groups.js')).groupDelete,
  identityCreate: async () => (await import('./identities.js')).identityCreate,
  identityList: async () => (await import('./identities.js')).identityList,
  identityDescribe: async () => (await import('./identities.js')).identityDescribe,
  identityDelete: async () => (await import('./identities.js')).identityDelete,
  pullTokenCreate: async () => (await import('./identities.js')).pullTokenCreate,
  roleBindingCreate: async () => (await import('./role-bindings.js')).roleBindingCreate,
  roleBindingList: async () => (await import('./role-bindings.js')).roleBindingList,
  roleBindingDescribe: async () => (await import('./role-bindings.js')).roleBindingDescribe,
  roleBindingDelete: async () => (await import('./role-bindings.js')).roleBindingDelete,
  repoAdd: async () => (await import('./repositories.js')).repoAdd,
  repoList: async () => (await import('./repositories.js')).repoList,
  repoRemove: async () => (await import('./repositories.js')).repoRemove,
  tagList: async () => (await import('./tag-list.js')).tagList,
  authStatus: async () => (await import('./auth.js')).authStatus,
  tokenIssue: async () => (await import('./auth.js')).tokenIssue,
  signInOptions: async () => (await import('./auth.js')).signInOptions,
  signIn: async () => (await import('./auth.js')).signIn,
  tokenRefresh: async () => (await import('./auth.js')).tokenRefresh,
  tokenRevoke: async () => (await import('./auth.js')).tokenRevoke,
  auditList: async () => (await import('./auth.js')).auditList,
  keysRotate: async () => (await import('./auth.js')).keysRotate,
}

/** All of them: what a server has routes for. */
export async function loadOperations(): Promise<readonly Operation[]> {
  const loaded = await Promise.all(Object.values(operations).map((load) => load()))
  // Each runs with its own input only, which its schema has checked.
  return loaded as unknown as readonly Operation[]
}
