import type { CallName } from '../../client/src/index.js'
import { check } from './check.js'
import { deliveriesList, deliveriesReplay } from './deliveries.js'
import { diff } from './diff.js'
import { digest } from './digest.js'
import { history, historyExport, historyImport } from './history.js'
import type { Operation } from './operation.js'
import { packages } from './packages.js'
import { explain, scan } from './scan.js'
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
}
