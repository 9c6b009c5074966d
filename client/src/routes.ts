import type { CheckReport } from './check.js'
import type { DeliveriesReplayed, DeliveryList, DeliveryState } from './delivery.js'
import type { ImageDiff } from './diff.js'
import type { DigestResult } from './digest.js'
import type { History, HistoryExport, HistoryImportResult } from './history.js'
import type { EvidenceWish, PackageList } from './packages.js'
import type { Explanation, ScanReport } from './scan.js'
import type { TagList } from './tag-list.js'
import type { WatchAdded, WatchList, WatchRemoved } from './watch.js'

/** What each call takes and gives: the parameters and the body of the native API. */
export interface Calls {
  digest: { input: { reference: string; platform?: string; omitPlatforms?: boolean }; output: DigestResult }
  check: { input: { reference: string[]; since?: string }; output: CheckReport }
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
  watchList: { method: 'GET', path: '/api/v1/watches' },
  watchRemove: { method: 'DELETE', path: '/api/v1/watches' },
  history: { method: 'GET', path: '/api/v1/history' },
  historyExport: { method: 'GET', path: '/api/v1/history/export' },
  historyImport: { method: 'POST', path: '/api/v1/history/import' },
  deliveriesList: { method: 'GET', path: '/api/v1/deliveries' },
  deliveriesReplay: { method: 'POST', path: '/api/v1/deliveries/replay' },
}

/** Where server-sent events are read. */
export const eventsPath = '/api/v1/events'
