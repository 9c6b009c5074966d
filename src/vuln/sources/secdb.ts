import type { Advisory, AffectedPackage, RangeEvent } from '../../core/advisory.js'
import { oneLine } from '../../core/fault.js'
import { limits } from '../../core/limits.js'
import type { AdvisorySink } from './advisory-source.js'

/** A file of Alpine's secdb or of one in its form, as JSON or YAML have it. https://secdb.alpinelinux.org/ */
export interface Secdb {
  /** `v3.20`, `edge`; '' where the distribution has no releases. */
  readonly release: string
  /** `main`, `os`. */
  readonly repository: string
  /** Where the packages lie: it tells whose file it is. */
  readonly urlPrefix: string
  readonly packages: readonly unknown[]
}

/** Reads the frame of a secdb; null for anything else. */
export function asSecdb(value: unknown): Secdb | null {
  if (typeof value !== 'object' || value === null) return null
  const { distroversion, reponame, urlprefix, packages } = value as Record<string, unknown>
  if (typeof reponame !== 'string' || typeof urlprefix !== 'string' || !Array.isArray(packages)) return null
  return {
    release: typeof distroversion === 'string' ? distroversion : '',
    repository: reponame,
    urlPrefix: urlprefix,
    packages,
  }
}

/** Whose secdb it is. */
export interface SecdbOwner {
  readonly source: string
  readonly part: string | null
  readonly ecosystem: string
  /** What stands before the id of a vulnerability: `ALPINE-` as OSV has it. */
  readonly prefix: string
  /** The page of a vulnerability, with its id at the end; null for none. */
  readonly page: string | null
}

/**
 * Puts what a secdb says into a sink: an advisory for each vulnerability, with the packages that it was fixed in.
 *
 * Under a version stand the ids that it fixed; under `0` those that the package never had. An id is a line of text in which
 * several may stand, and other words: `CVE-2017-8904 XSA-214`, `CVE-2019-1234 (only with TLS)`.
 */
export function readSecdb({ packages }: Secdb, owner: SecdbOwner, sink: AdvisorySink): void {
  const found = new Map<string, { aliases: Set<string>; affected: AffectedPackage[] }>()
  const refuse = (reason: string) => sink.refuse(owner.part, oneLine(reason))
  for (const entry of packages) {
    const { name, secfixes } = packageOf(entry)
    if (name === null || secfixes === null) {
      refuse('a package without a name or without secfixes')
      continue
    }
    for (const [version, lines] of Object.entries(secfixes)) {
      if (!isVersion(version) || !Array.isArray(lines)) {
        refuse(`${name}: '${version}' is no version with a list of ids`)
        continue
      }
      for (const line of lines) {
        const ids = typeof line === 'string' ? idsIn(line) : []
        if (ids.length === 0) refuse(`${name} ${version}: no id in '${typeof line === 'string' ? line : typeof line}'`)
        for (const { id, aliases } of ids) {
          const one = found.get(id) ?? { aliases: new Set(), affected: [] }
          found.set(id, one)
          for (const alias of aliases) one.aliases.add(alias)
          if (one.affected.length < limits.advisoryPackages) one.affected.push(affectedOf(owner, name, version))
          else refuse(`${id}: more than ${limits.advisoryPackages} packages`)
        }
      }
    }
  }
  for (const [id, { aliases, affected }] of found) sink.advisory(owner.part, toAdvisory(owner, id, aliases, affected))
}

function toAdvisory(
  { source, prefix, page }: SecdbOwner,
  id: string,
  aliases: ReadonlySet<string>,
  affected: readonly AffectedPackage[],
): Advisory {
  return {
    source,
    id: `${prefix}${id}`,
    aliases: [...aliases].sort(),
    upstream: [id],
    publishedAt: null,
    modifiedAt: null,
    withdrawnAt: null,
    summary: null,
    ratings: [],
    url: page === null ? null : `${page}${id}`,
    affected,
  }
}

function affectedOf({ ecosystem }: SecdbOwner, name: string, version: string): AffectedPackage {
  const isNever = version === '0'
  return {
    ecosystem,
    name,
    status: isNever ? 'not-affected' : 'affected',
    ranges: isNever ? [] : [{ type: 'ECOSYSTEM', events: [fromTheStart, { kind: 'fixed', version }] }],
    versions: [],
    fix: 'open',
    architectures: [],
    module: null,
    binaries: [],
    ratings: [],
  }
}

const fromTheStart: RangeEvent = { kind: 'introduced', version: '0' }

function packageOf(entry: unknown): { name: string | null; secfixes: Record<string, unknown> | null } {
  const { pkg } = (typeof entry === 'object' && entry !== null ? entry : {}) as { pkg?: unknown }
  const { name, secfixes } = (typeof pkg === 'object' && pkg !== null ? pkg : {}) as Record<string, unknown>
  const isName = typeof name === 'string' && /^[\x21-\x7e]{1,200}$/.test(name)
  const isMap = typeof secfixes === 'object' && secfixes !== null && !Array.isArray(secfixes)
  return { name: isName ? name : null, secfixes: isMap ? (secfixes as Record<string, unknown>) : null }
}

function isVersion(text: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(text)
}

const vulnerability = /CVE[-_]\d{4}-\d{4,19}|GHSA(?:-[0-9a-z]{4}){3}|XSA-\d{1,9}/g
/** `ZBX-11023`, `TALOS-2017-0499`: looked for where there is none of the others. */
const otherId = /\b(?!CVE-|GHSA-)[A-Z][A-Z0-9]{1,15}-\d[\w.-]{0,40}/g

interface Id {
  readonly id: string
  readonly aliases: readonly string[]
}
const noAliases: readonly string[] = []

/**
 * The vulnerabilities that a line names. A GHSA beside one CVE is another name of it; each XSA and each CVE is one of its
 * own, because an XSA covers several CVEs.
 */
function idsIn(line: string): readonly Id[] {
  // Nine of ten lines.
  if (/^CVE-\d{4}-\d{4,19}$/.test(line)) return [{ id: line, aliases: noAliases }]
  const text = line.slice(0, limits.advisoryTextCharacters)
  const known = new Set([...text.matchAll(vulnerability)].map(([id]) => id.replace('_', '-')))
  if (known.size === 0)
    return [...new Set([...text.matchAll(otherId)].map(([id]) => id))].map((id) => ({ id, aliases: [] }))
  const ids = [...known]
  const cves = ids.filter((id) => id.startsWith('CVE-'))
  const ghsas = ids.filter((id) => id.startsWith('GHSA-'))
  if (cves.length !== 1) return ids.map((id) => ({ id, aliases: [] }))
  return ids.filter((id) => !id.startsWith('GHSA-')).map((id) => ({ id, aliases: id.startsWith('CVE-') ? ghsas : [] }))
}
