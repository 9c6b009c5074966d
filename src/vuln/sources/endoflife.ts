import { oneLine } from '../../core/fault.js'
import type { AdvisorySource } from './advisory-source.js'

/** Products of endoflife.date whose name is not the id that os-release(5) gives the distribution. */
const idsByProduct: Readonly<Record<string, string>> = {
  'alpine-linux': 'alpine',
  'amazon-linux': 'amzn',
  'azure-linux': 'azurelinux',
  'cbl-mariner': 'mariner',
  'oracle-linux': 'ol',
  opensuse: 'opensuse-leap',
  'rocky-linux': 'rocky',
}
const distributions = [
  ...['debian', 'ubuntu', 'alpine-linux', 'rhel', 'centos', 'almalinux', 'rocky-linux', 'oracle-linux', 'fedora'],
  ...['amazon-linux', 'sles', 'opensuse', 'azure-linux'],
]
const products = [...distributions, ...['nodejs', 'python', 'go', 'ruby', 'php', 'nginx', 'postgresql', 'redis']]
/** The ids of distributions with releases that end. What rolls, such as Wolfi, is looked after as it is or not at all. */
export const distributionsThatEnd: ReadonlySet<string> = new Set([
  ...distributions.map(idOf),
  // Ended, and downloaded no more.
  idOf('cbl-mariner'),
])
const productName = /^[a-z0-9][a-z0-9.-]{0,99}$/
const day = /^\d{4}-\d\d-\d\d$/

/**
 * endoflife.date: until when releases are looked after. Read are answers of its API v1 (`/products/NAME`), which name their
 * product, and the files of its repository `release-data`, which are named by it.
 */
export const endoflife: AdvisorySource = {
  name: 'endoflife',
  url: 'https://endoflife.date/api/v1/products',
  isDefault: true,
  unit: 'document',
  downloads: (parts = products) =>
    parts.map((product) => ({ part: idOf(product), path: `${encodeURIComponent(product)}/` })),
  recognises: (value) => productOf(value, 'a.json') !== null,
  read(value, sink, name) {
    const found = productOf(value, name)
    if (found === null) return
    const product = idOf(found.product)
    if (!productName.test(product)) return sink.refuse(null, `'${oneLine(product)}' is the name of no product`)
    for (const entry of found.releases) {
      const row = (entry ?? {}) as Record<string, unknown>
      const release = row.name
      const endsOn = dayOf(row.eol ?? row.eolFrom, row.isEol)
      const extendedEndsOn = dayOf(row.eoes ?? row.eoesFrom, row.isEoes)
      if (typeof release !== 'string' || !/^[\x21-\x7e]{1,60}$/.test(release))
        sink.refuse(product, 'a release without a name')
      else if (endsOn === undefined || extendedEndsOn === undefined) {
        sink.refuse(product, `${product} ${release}: it has ended, or ends, on no known day`)
      } else sink.release(product, { release, endsOn, extendedEndsOn })
    }
  },
}

/** As `os-release` calls a distribution. */
function idOf(product: string): string {
  return idsByProduct[product] ?? product
}

function productOf(value: unknown, name: string): { product: string; releases: readonly unknown[] } | null {
  const { releases, versions, result } = (value ?? {}) as Record<string, unknown>
  if (isObject(releases) && isObject(versions)) {
    return { product: name.replace(/(?:\.json)?(?:\.gz)?$/, ''), releases: Object.values(releases) }
  }
  if (!isObject(result) || typeof result.name !== 'string' || !Array.isArray(result.releases)) return null
  return { product: result.name, releases: result.releases }
}

/** A day; null where none is set; undefined where it cannot be told. */
function dayOf(value: unknown, hasEnded: unknown): string | null | undefined {
  if (typeof value === 'string' && day.test(value)) return value
  if (value === undefined || value === null || value === false) return hasEnded === true ? undefined : null
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
