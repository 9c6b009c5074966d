import type { AdvisorySource } from './advisory-source.js'
import { asSecdb, readSecdb } from './secdb.js'

/** The releases whose images are still about. */
const releases = ['edge', ...Array.from({ length: 15 }, (_, index) => `v3.${24 - index}`)]
const repositories = ['main', 'community']

/** Alpine's own list of what it fixed, and of what it never had. Its parts are `v3.20/main`. */
export const alpineSecdb: AdvisorySource = {
  name: 'alpine-secdb',
  url: 'https://secdb.alpinelinux.org',
  isDefault: true,
  unit: 'document',
  downloads: (parts = releases) =>
    parts.flatMap((release) =>
      repositories.map((repository) => ({ part: `${release}/${repository}`, path: `${release}/${repository}.json` })),
    ),
  recognises(value) {
    const { release } = asSecdb(value) ?? {}
    return release !== undefined && /^(?:v\d+\.\d+|edge)$/.test(release)
  },
  read(value, sink) {
    const secdb = asSecdb(value)
    if (secdb === null) return
    const { release, repository } = secdb
    readSecdb(
      secdb,
      {
        ...{ source: 'alpine-secdb', part: `${release}/${repository.slice(0, 60)}`, ecosystem: `Alpine:${release}` },
        ...{ prefix: 'ALPINE-', page: 'https://security.alpinelinux.org/vuln/' },
      },
      sink,
    )
  },
}
