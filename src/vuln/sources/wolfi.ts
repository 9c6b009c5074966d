import type { AdvisorySource } from './advisory-source.js'
import { asSecdb, readSecdb } from './secdb.js'

/** Wolfi's list of what it fixed, in the form of Alpine's. CC BY-NC-ND 4.0: downloaded by whoever uses it, never passed on. */
export const wolfi: AdvisorySource = {
  name: 'wolfi',
  url: 'https://packages.wolfi.dev/os',
  isDefault: true,
  unit: 'document',
  downloads: () => [{ part: null, path: 'security.json' }],
  recognises(value) {
    const secdb = asSecdb(value)
    return secdb !== null && secdb.release === '' && secdb.urlPrefix.includes('wolfi')
  },
  read(value, sink) {
    const secdb = asSecdb(value)
    const owner = { source: 'wolfi', part: null, ecosystem: 'Wolfi', prefix: 'WOLFI-', page: null }
    if (secdb !== null) readSecdb(secdb, owner, sink)
  },
}
