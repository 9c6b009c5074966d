import type { AdvisorySource } from './advisory-source.js'
import { asSecdb, readSecdb } from './secdb.js'

/** Chainguard's list of what it fixed, in the form of Alpine's. CC BY-NC-ND 4.0: downloaded by whoever uses it, never passed on. */
export const chainguard: AdvisorySource = {
  name: 'chainguard',
  url: 'https://packages.cgr.dev/chainguard',
  isDefault: true,
  unit: 'document',
  downloads: () => [{ part: null, path: 'security.json' }],
  recognises(value) {
    const secdb = asSecdb(value)
    return (
      secdb !== null && secdb.release === '' && /chainguard|cgr\.dev/.test(`${secdb.urlPrefix} ${secdb.repository}`)
    )
  },
  read(value, sink) {
    const secdb = asSecdb(value)
    const owner = { source: 'chainguard', part: null, ecosystem: 'Chainguard', prefix: 'CHAINGUARD-', page: null }
    if (secdb !== null) readSecdb(secdb, owner, sink)
  },
}
