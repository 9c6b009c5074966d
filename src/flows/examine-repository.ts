import type { DigestListState } from '../../client/src/index.js'
import { noCost } from '../core/cost.js'
import { type Digest, shortDigest } from '../core/digest.js'
import { type Fault, isFault, toFault } from '../core/fault.js'
import { isAskedByGet } from '../core/host-profile.js'
import type { Reference } from '../core/reference.js'
import { formatTime } from '../core/time.js'
import { noListFix } from '../registry/bulk/read-list.js'
import type { Examiner } from '../registry/examine.js'
import type { Call } from '../registry/request.js'
import { type Examination, type Finding, type Found, withoutReference } from './doctor-step.js'
import { distrustMs, isTrusted } from './listed-repositories.js'

/** How a look at the tag goes, and what the next ones will cost. */
export async function examineHead(examination: Examination, call: Call): Promise<Finding<'head'>> {
  const { target, examiner } = examination
  const { host, reference } = target
  if (reference === null) {
    return { status: 'skipped', message: `no repository is named; ${withoutReference(host)}`, found: null }
  }
  const { registry } = examiner
  const { digest, mediaType } = await registry.head(reference, call)
  examination.look = { digest, mediaType }
  // The second look finds out whether 304 is meant; the third costs what looks cost from then on.
  await registry.head(reference, { ...call, known: digest })
  const look = noCost()
  await registry.head(reference, { ...call, cost: look, known: digest })
  call.cost.requests += look.requests
  call.cost.bytes += look.bytes
  const profile = registry.profile(host)
  const { head = 'works', digestHeader = 'sent', conditional } = profile
  const isGet = isAskedByGet(profile)
  const found = { digest, mediaType, head, digestHeader, conditional: isGet ? null : (conditional ?? 'ignored'), look }
  if (!isGet) {
    const saved = found.conditional === 'honored' ? '304 where nothing has changed' : 'no 304'
    const message = `HEAD works and tells the digest, ${shortDigest(digest)}; ${saved}; ${mediaType || 'no media type'}`
    return { status: 'ok', message, found }
  }
  const why = head === 'refused' ? 'HEAD is refused' : 'HEAD comes without a digest'
  return {
    ...{ status: 'warning', found },
    message: `${why}, so that each look is a GET of ${look.bytes} bytes, which counts as a pull where pulls are counted; ${shortDigest(digest)}`,
    fix: `Look less often (\`every\` in tidemark.yaml), and bound it by registries.${host}.requestsPerHour.`,
  }
}

/** What the registry lists, of which one page is asked for. */
export async function examineList(examination: Examination, call: Call): Promise<Finding<'list'>> {
  const { target, examiner, look } = examination
  const { registry } = examiner
  const { host, reference } = target
  const kind = registry.kindOf(host)
  const trust = await readTrust(examination)
  const untried = { kind, digests: 'untried', digestsOnPage: null, agrees: null, tagsOnPage: null } as const
  if (reference === null) {
    const message = [kindText(host, kind), listText(kind, registry.hasLists(host)), trust.text, withoutReference(host)]
    const found = { ...untried, distrustedAt: trust.distrustedAt }
    return { status: 'skipped', message: message.filter((text) => text !== '').join('; '), found }
  }
  const tagsOnPage = (await firstPage(registry.tags(reference, call)))?.length ?? 0
  const list = await examineDigests(examiner, reference, look?.digest ?? null, call)
  const message = [
    `${tagsOnPage} ${tagsOnPage === 1 ? 'tag' : 'tags'} on the first page`,
    kindText(host, kind),
    list.text,
    trust.text,
  ]
  const { digests, digestsOnPage, agrees } = list
  const found: Found<'list'> = { kind, digests, digestsOnPage, agrees, distrustedAt: trust.distrustedAt, tagsOnPage }
  const isWarned = list.fix !== null || trust.isDistrusted
  const fix = list.fix ?? (trust.isDistrusted ? 'Nothing need be done: tags are asked for one by one meanwhile.' : null)
  return {
    status: isWarned ? 'warning' : 'ok',
    message: message.filter((text) => text !== '').join('; '),
    ...(fix !== null && { fix }),
    found,
  }
}

function kindText(host: string, kind: string | null): string {
  return kind === null
    ? `its name does not tell whose software it is (registries.${host}.kind can: harbor, gitlab, artifactory …)`
    : `a registry of kind ${kind}`
}

function listText(kind: string | null, hasList: boolean): string {
  if (hasList) return 'which has a list with digests; whether it is for us is not known'
  return kind === null ? '' : 'which has no list with digests'
}

interface Digests {
  readonly digests: DigestListState
  readonly digestsOnPage: number | null
  readonly agrees: boolean | null
  readonly text: string
  readonly fix: string | null
}

/** One page of the list with digests. That it is not to be had costs requests, and breaks nothing. */
async function examineDigests(
  { registry }: Examiner,
  reference: Reference,
  digest: Digest | null,
  call: Call,
): Promise<Digests> {
  const nothing = { digestsOnPage: null, agrees: null, fix: null }
  if (!registry.hasLists(reference.host)) {
    const isKnown = registry.kindOf(reference.host) !== null
    return { ...nothing, digests: isKnown ? 'none' : 'untried', text: isKnown ? 'no list with digests' : '' }
  }
  try {
    const pages = await registry.listDigests(reference, call)
    if (pages === null) {
      const text = 'its list with digests is not for us'
      return { ...nothing, digests: 'denied', text, fix: noListFix }
    }
    const page = (await firstPage(pages)) ?? []
    const listed = page.find(({ tag }) => tag === reference.tag)?.digest
    const agrees = listed === undefined || digest === null || reference.digest !== undefined ? null : listed === digest
    const text = `its list with digests works, ${page.length} on the first page`
    if (agrees !== false) return { ...nothing, digests: 'works', digestsOnPage: page.length, agrees, text }
    return {
      ...{ digests: 'works', digestsOnPage: page.length, agrees },
      text: `${text}, and says ${shortDigest(listed as Digest)} of ${reference.tag}, which is ${shortDigest(digest as Digest)}`,
      fix: 'Ask again in a minute: lists lag. If it stays, the list is wrong, and watching finds that out by itself.',
    }
  } catch (error) {
    const fault = toFault(error)
    if (fault.code === 'cancelled' || fault.code === 'internal') throw error
    return { ...nothing, ...listFailure(fault) }
  }
}

function listFailure(fault: Fault) {
  const isDenied = fault.code === 'denied' || fault.code === 'unsupported'
  return {
    digests: isDenied ? 'denied' : 'failed',
    text: `its list with digests is ${isDenied ? 'not for us' : 'not to be had'} (${fault.code}: ${fault.message})`,
    fix: isDenied ? noListFix : fault.fix,
  } as const
}

/** What a watcher on this database thinks of the host's list. */
async function readTrust({ stored, now, target }: Examination) {
  try {
    const profile = (await stored())?.profile ?? {}
    const { listDistrustedAt: at } = profile
    if (at === undefined) return { distrustedAt: null, isDistrusted: false, text: '' }
    const isDistrusted = !isTrusted(profile, now())
    const until = isDistrusted ? `, and is not used until ${formatTime(at + distrustMs)}` : ', and is trusted again'
    const text = `a watcher found it wrong at ${formatTime(at)}${until}`
    return { distrustedAt: formatTime(at), isDistrusted, text }
  } catch (error) {
    if (!isFault(error) || error.code === 'cancelled' || error.code === 'internal') throw error
    const text = `what watchers have learned of ${target.host} cannot be read (${error.message})`
    return { distrustedAt: null, isDistrusted: false, text }
  }
}

/** Null for a list with nothing in it. */
async function firstPage<Page>(pages: AsyncIterable<Page>): Promise<Page | null> {
  for await (const page of pages) return page
  return null
}
