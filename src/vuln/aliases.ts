import type { Advisories, AdvisoryHead } from '../core/advisory.js'

/** All names of one vulnerability, and who tells of it. */
export interface NamedVulnerability {
  /** Ascending, CVEs first. The same object for every name. */
  readonly names: readonly string[]
  /** Records that hold and are about this vulnerability alone; by source and id. */
  readonly records: readonly AdvisoryHead[]
}

/** Finds all names of a vulnerability. */
export interface AliasClosure {
  of(head: AdvisoryHead): NamedVulnerability
  named(id: string): NamedVulnerability
}

/** No vulnerability has a fifth of them; a feed that names more in a row makes one of all. */
const mostNames = 250

/**
 * The transitive closure over `aliases`, in both directions and through records that are about none of our packages. What a
 * record passes on (`upstream`) is the same vulnerability only where its id says so (`DEBIAN-CVE-2024-1`): an erratum names
 * many that are not each other. Withdrawn records link nothing. Each name is looked up once.
 */
export function aliasClosure(advisories: Pick<Advisories, 'named'>): AliasClosure {
  const known = new Map<string, NamedVulnerability>()
  const find = (seeds: readonly string[]) => {
    const found = seeds.map((name) => known.get(name)).find((one) => one !== undefined)
    if (found !== undefined && seeds.every((name) => found.names.includes(name))) return found
    const vulnerability = close(seeds, advisories)
    for (const name of vulnerability.names) known.set(name, vulnerability)
    return vulnerability
  }
  return { of: (head) => find(sameNames(head)), named: (id) => find([id]) }
}

function close(seeds: readonly string[], advisories: Pick<Advisories, 'named'>): NamedVulnerability {
  const names = new Set(seeds)
  const records = new Map<string, AdvisoryHead>()
  for (const name of names) {
    for (const record of advisories.named(name)) {
      const same = sameNames(record)
      if (record.withdrawnAt !== null || !same.includes(name)) continue
      records.set(`${record.source}\0${record.id}`, record)
      for (const other of same) if (names.size < mostNames) names.add(other)
    }
  }
  const byKey = [...records].sort(([a], [b]) => (a < b ? -1 : 1))
  return { names: sortNames(names), records: byKey.map(([, record]) => record) }
}

/** CVEs first, each part ascending. */
export function sortNames(names: Iterable<string>): string[] {
  const isLater = (name: string) => (isCve(name) ? 0 : 1)
  return [...new Set(names)].sort((a, b) => isLater(a) - isLater(b) || (a < b ? -1 : a > b ? 1 : 0))
}

/** Whether it is an id of the CVE list (https://cve.mitre.org/cve/identifiers/). */
export function isCve(name: string): boolean {
  return /^CVE-\d{4}-\d{4,19}$/.test(name)
}

/** The id, and every other name of the one vulnerability that a record is about. */
export function sameNames({ id, aliases, upstream }: AdvisoryHead): string[] {
  const passed = upstream.filter((name) => id.endsWith(`-${name}`) && isCve(name))
  return isErratum(id) ? [id] : [id, ...aliases, ...passed]
}

/** The CVEs that a record passes on without being one of them: those that an erratum fixes. */
export function coveredCves(head: AdvisoryHead): string[] {
  const same = new Set(sameNames(head))
  return sortNames([...head.aliases, ...head.upstream].filter((name) => isCve(name) && !same.has(name)))
}

/** Advisories of distributions that are about an update, of whatever it fixes. */
function isErratum(id: string): boolean {
  return /^(?:DSA|DLA|DTSA|ELA|USN|LSN|(?:RH|AL|RL|RX|EL|OL)[A-Z]A|ALAS\w*|(?:open)?SUSE-\w+|MGASA|OESA|openEuler-SA|PHSA|ASA|GLSA|FEDORA)-/.test(
    id,
  )
}
