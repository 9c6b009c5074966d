import type { AdvisorySource } from './advisory-source.js'
import { alpineSecdb } from './alpine-secdb.js'
import { chainguard } from './chainguard.js'
import { debianTracker } from './debian-tracker.js'
import { endoflife } from './endoflife.js'
import { epss } from './epss.js'
import { kev } from './kev.js'
import { nodejsWg } from './nodejs-wg.js'
import { osv } from './osv-export.js'
import { wolfi } from './wolfi.js'

/** Every source, in the order in which a document is offered to them. */
export const advisorySources: readonly AdvisorySource[] = [
  ...[osv, nodejsWg, alpineSecdb, wolfi, chainguard, debianTracker, kev, epss, endoflife],
]
