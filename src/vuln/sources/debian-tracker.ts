import type { Advisory, AffectedPackage, FixState, Rating } from '../../core/advisory.js'
import { oneLine } from '../../core/fault.js'
import type { AdvisorySource } from './advisory-source.js'

/** Releases by the codename that the tracker uses. `sid` has no number. */
const releasesByCodename: Readonly<Record<string, string>> = {
  ...{ sid: 'sid', duke: '15', forky: '14', trixie: '13', bookworm: '12', bullseye: '11', buster: '10', stretch: '9' },
  ...{ jessie: '8', wheezy: '7', squeeze: '6' },
}

/**
 * Debian's security tracker: what OSV leaves out, which is packages that were never affected, and why there is no fix.
 * `{package: {CVE: {description, releases: {codename: {status, fixed_version, urgency, nodsa, nodsa_reason}}}}}`
 */
export const debianTracker: AdvisorySource = {
  name: 'debian-tracker',
  url: 'https://security-tracker.debian.org/tracker/data',
  isDefault: true,
  unit: 'document',
  isDivisible: true,
  downloads: () => [{ part: null, path: 'json' }],
  recognises(value) {
    if (!isObject(value)) return false
    return Object.values(value)
      .slice(0, 20)
      .some((issues) => isObject(issues) && isIssue(Object.values(issues)[0]))
  },
  read(value, sink) {
    for (const [name, issues] of Object.entries(value as object)) {
      if (!isObject(issues) || !/^[a-z0-9][a-z0-9.+-]{0,199}$/.test(name)) {
        sink.refuse(null, oneLine(`'${name.slice(0, 80)}' is no source package with its vulnerabilities`))
        continue
      }
      for (const [id, issue] of Object.entries(issues)) {
        const isId = /^(?:CVE-\d{4}-\d{4,19}|TEMP-[\w-]{1,60})$/.test(id)
        if (isId && isIssue(issue)) {
          const affected = affectedOf(name, issue, (reason) => sink.refuse(null, oneLine(`${name} ${id}: ${reason}`)))
          if (affected.length > 0) sink.advisory(null, toAdvisory(id, issue, affected))
        } else sink.refuse(null, oneLine(`${name}: '${id.slice(0, 80)}' is no vulnerability with its releases`))
      }
    }
  },
}

interface Issue {
  readonly releases: Readonly<Record<string, unknown>>
  readonly description?: unknown
}

/** `TEMP-` names are the tracker's own and stand for nothing that others know. */
function toAdvisory(id: string, { description }: Issue, affected: readonly AffectedPackage[]): Advisory {
  const isTemporary = id.startsWith('TEMP-')
  return {
    ...{ source: 'debian-tracker', id: isTemporary ? id : `DEBIAN-${id}`, aliases: [], affected },
    ...{ upstream: isTemporary ? [] : [id], publishedAt: null, modifiedAt: null, withdrawnAt: null, ratings: [] },
    summary: typeof description === 'string' ? oneLine(description.slice(0, 4000)) || null : null,
    url: `https://security-tracker.debian.org/tracker/${id}`,
  }
}

function affectedOf(name: string, { releases }: Issue, refuse: (reason: string) => void): AffectedPackage[] {
  const affected: AffectedPackage[] = []
  for (const [codename, state] of Object.entries(releases)) {
    const release = Object.hasOwn(releasesByCodename, codename) ? releasesByCodename[codename] : undefined
    if (release === undefined || !isObject(state)) refuse(`'${codename.slice(0, 40)}' is no release that is known`)
    else if (state.status !== 'undetermined') {
      const one = stateOf(`Debian:${release}`, name, state)
      if (one === null) refuse(`the state of ${codename} cannot be read`)
      else affected.push(one)
    }
  }
  return affected
}

/** A version that fixes it goes before what is said of the state: `no-dsa` is kept after a fix came by a point release. */
function stateOf(ecosystem: string, name: string, state: Record<string, unknown>): AffectedPackage | null {
  const { status, fixed_version: fixed } = state
  const isFixed = typeof fixed === 'string' && fixed !== ''
  if (isFixed && !/^[\x21-\x7e]{1,200}$/.test(fixed)) return null
  if (!isFixed && status !== 'open') return null
  const isNever = fixed === '0'
  const events = [{ kind: 'introduced', version: '0' } as const]
  const end = isFixed ? [{ kind: 'fixed', version: fixed } as const] : []
  return {
    ...{ ecosystem, name, status: isNever ? 'not-affected' : 'affected' },
    ranges: isNever ? [] : [{ type: 'ECOSYSTEM', events: [...events, ...end] }],
    ...{ versions: [], fix: isFixed ? 'open' : fixStateOf(state), architectures: [], module: null, binaries: [] },
    ratings: ratingsOf(state.urgency),
  }
}

function fixStateOf({ urgency, nodsa_reason: reason }: Record<string, unknown>): FixState {
  if (urgency === 'end-of-life') return 'end-of-life'
  return reason === 'ignored' ? 'wont-fix' : reason === 'postponed' ? 'deferred' : 'open'
}

/** `low**` is a `low` that the tracker took from elsewhere; the others of the list say nothing of how bad it is. */
function ratingsOf(urgency: unknown): readonly Rating[] {
  const word = typeof urgency === 'string' ? urgency.replace(/\*+$/, '') : ''
  return /^(?:unimportant|low|medium|high)$/.test(word) ? [{ system: 'word', value: word, by: 'debian' }] : []
}

function isIssue(value: unknown): value is Issue {
  return isObject(value) && isObject(value.releases)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
