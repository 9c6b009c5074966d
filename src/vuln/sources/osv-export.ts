import type { Advisory, AffectedPackage } from '../../core/advisory.js'
import type { AdvisorySource } from './advisory-source.js'
import { isRefused, parseOsvRecord } from './osv.js'

/** What images hold most. Red Hat, AlmaLinux, Rocky Linux, SUSE and Ubuntu come this way and no other. */
const ecosystems = [
  ...['npm', 'PyPI', 'Go', 'Maven', 'crates.io', 'RubyGems', 'Packagist', 'NuGet', 'Hex', 'Pub'],
  ...[
    'Debian',
    'Ubuntu',
    'Alpine',
    'Red Hat',
    'AlmaLinux',
    'Rocky Linux',
    'SUSE',
    'openSUSE',
    'Azure Linux',
    'MinimOS',
  ],
]

/** AlmaLinux publishes fixes of bugs and new packages (ALBA, ALEA) as OSV records too: they are no vulnerabilities. */
const noVulnerability = /^AL[BE]A-/

/** osv.dev: records of the OSV schema, a zip of them for each ecosystem. Its parts are ecosystems without their releases. */
export const osv: AdvisorySource = {
  name: 'osv',
  url: 'https://osv-vulnerabilities.storage.googleapis.com',
  isDefault: true,
  unit: 'record',
  downloads: (parts = ecosystems) =>
    parts.map((ecosystem) => ({ part: ecosystem, path: `${encodeURIComponent(ecosystem)}/all.zip` })),
  recognises(value) {
    if (typeof value !== 'object' || value === null || !('id' in value)) return false
    return ('affected' in value || 'schema_version' in value || 'modified' in value) && !('module_name' in value)
  },
  read(value, sink) {
    const advisory = parseOsvRecord(value, 'osv')
    if (isRefused(advisory)) sink.refuse(partOfBroken(value), advisory.refused)
    else if (noVulnerability.test(advisory.id)) {
      sink.refuse(partOf(advisory.affected[0]), `${advisory.id}: a fix of bugs, no vulnerability`)
    } else for (const [part, own] of byPart(advisory)) sink.advisory(part, own)
  },
}

/** An advisory of one ecosystem as it is; one of several is split, so that each part is whole for itself. */
function byPart(advisory: Advisory): Iterable<readonly [part: string | null, advisory: Advisory]> {
  const { affected } = advisory
  const first = partOf(affected[0])
  if (affected.every((one) => partOf(one) === first)) return [[first, advisory]]
  const parts = new Map<string | null, AffectedPackage[]>()
  for (const one of affected) {
    const part = partOf(one)
    const own = parts.get(part)
    if (own === undefined) parts.set(part, [one])
    else own.push(one)
  }
  return [...parts].map(([part, own]) => [part, { ...advisory, affected: own }])
}

/** Null for an advisory that is about no package, such as one of commits only. */
function partOf(affected: AffectedPackage | undefined): string | null {
  if (affected === undefined) return null
  const end = affected.ecosystem.indexOf(':')
  return end < 0 ? affected.ecosystem : affected.ecosystem.slice(0, end)
}

/** What a record that cannot be read seems to be about. */
function partOfBroken(value: unknown): string | null {
  const { affected } = (value ?? {}) as { affected?: unknown }
  const [first] = Array.isArray(affected) ? (affected as { package?: { ecosystem?: unknown } | null }[]) : []
  const ecosystem = first?.package?.ecosystem
  return typeof ecosystem === 'string' && /^[\w .]{1,60}(?::|$)/.test(ecosystem)
    ? (ecosystem.split(':')[0] ?? null)
    : null
}
