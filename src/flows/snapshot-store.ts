import { openSqliteForBuilding } from '../store/sqlite-open.js'
import { storeFault } from '../store/store-fault.js'
import type { SnapshotStore } from '../vuln/snapshot-port.js'

/** How a snapshot that is being built is opened, by whichever thread writes it. */
export const snapshotStore: SnapshotStore = { open: openSqliteForBuilding, faultOf: storeFault }
