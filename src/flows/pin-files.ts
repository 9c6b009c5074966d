import { readFile, stat } from 'node:fs/promises'
import { sep } from 'node:path'
import type { PinnedImage, PinProblem, PinReport, PinUpdate } from '../../client/src/index.js'
import { compareTexts } from '../core/compare-texts.js'
import type { Digest } from '../core/digest.js'
import { Fault, oneLine, toFault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { formatReference, parseReference, type Reference, type TagReference } from '../core/reference.js'
import { applyEdits } from '../pin/apply-edits.js'
import type { Edit, ImageSite, ImageSites } from '../pin/image-file.js'
import { imageFileKinds, kindOf } from '../pin/list.js'
import { unifiedDiff } from '../pin/unified-diff.js'
import { type FoundFile, findImageFiles, unreadable } from './find-image-files.js'
import type { Services } from './open.js'
import { digestToPin, type PinCall, type PinMoment } from './pinned-digest.js'
import { rewriteFile } from './rewrite-file.js'

/** What is asked of {@link pinFiles}. */
export interface PinQuestion {
  readonly paths: readonly string[]
  /** Whether pins that are there are moved too. */
  readonly updates: boolean
  readonly dropsTag: boolean
  readonly moment: PinMoment
  /** Whether files are changed. */
  readonly writes: boolean
}

/** What {@link pinFiles} found and did. */
export interface PinOutcome {
  readonly report: PinReport
  /** Of all files that are changed, or would be: what `git apply` takes. */
  readonly diff: string
}

/** Look-ups at a time: each host has its own bound, this one only keeps the number of waiting promises small. */
const atATime = 32

/**
 * Writes the digests of tags beside them, in files and below folders. What cannot be told (an image, a file) is told as a
 * problem, and everything else is done: files are independent of one another, and so are the references in them.
 * @throws Fault `too-large` for a folder without end, `cancelled`
 */
export async function pinFiles(
  question: PinQuestion,
  services: Services,
  call: PinCall & { onProgress?(done: number, of: number): void },
): Promise<PinOutcome> {
  const found = await findImageFiles(question.paths)
  const problems: PinProblem[] = found.problems.map(({ path, fault }) => problemOf(path, fault))
  const files: ReadFile[] = []
  for (const file of found.files) {
    try {
      const read = await readSites(file)
      if (read !== null) files.push(read)
    } catch (error) {
      problems.push(problemOf(file.path, toFault(error)))
    }
  }
  const places = files.flatMap((file) => file.sites.map((site) => placeOf(file, site, problems)))
  const wanted = places.filter((place) => place !== null)
  const digests = await lookUp(wanted, question, services, call)
  const report: PinReport = { updates: [], pinned: [], problems }
  let diff = ''
  for (const file of files) {
    tellOpen(file, report)
    const own = wanted.filter((place) => place.file === file)
    diff += await pinFile(file, own, { question, digests, report, warn: call.warn })
  }
  report.problems.sort((a, b) => compareTexts(a.file, b.file) || (a.line ?? 0) - (b.line ?? 0))
  return { report, diff }
}

interface ReadFile extends ImageSites {
  readonly path: string
  readonly bytes: Buffer
  readonly text: string
}

/** One place whose reference was read. */
interface Place {
  readonly file: ReadFile
  readonly site: ImageSite
  readonly reference: Reference
}

async function readSites({ path, isNamed }: FoundFile): Promise<ReadFile | null> {
  let bytes: Buffer
  try {
    const stats = await stat(path)
    if (!stats.isFile()) throw new Fault('file-unreadable', `${path} is no regular file`)
    if (stats.size > limits.pinFileBytes) throw new Fault('file-unreadable', `${path} has ${stats.size} bytes`)
    bytes = await readFile(path)
  } catch (error) {
    throw error instanceof Fault ? error : unreadable(path, error)
  }
  const text = decode(bytes, path)
  const slashed = path.split(sep).join('/')
  const kind = kindOf(slashed.startsWith('/') ? slashed : `./${slashed}`, text)
  if (kind !== null) return { path, bytes, text, ...kind.read(text) }
  if (!isNamed) return null
  throw new Fault('file-unreadable', `${path} is of no kind that names images`, {
    fix: `There are: ${imageFileKinds.map(({ files }) => files).join('; ')}.`,
  })
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new Fault('file-unreadable', `${path} is not UTF-8`, { cause, fix: 'Leave it out, or write it in UTF-8.' })
  }
}

function placeOf(file: ReadFile, site: ImageSite, problems: PinProblem[]): Place | null {
  try {
    return { file, site, reference: parseReference(site.image) }
  } catch (error) {
    problems.push(problemOf(file.path, toFault(error), site))
    return null
  }
}

type Digests = ReadonlyMap<string, Digest | Fault>

/** Each tag is asked once, and once for each pin that it has. */
async function lookUp(
  places: readonly Place[],
  question: PinQuestion,
  services: Services,
  call: PinCall & { onProgress?(done: number, of: number): void },
): Promise<Digests> {
  const wanted = new Map<string, { reference: TagReference; pinned: Digest | null }>()
  for (const { reference } of places) {
    const { tag, digest: pinned = null } = reference
    if (tag === undefined || (pinned !== null && !question.updates)) continue
    wanted.set(formatReference(reference), { reference: { host: reference.host, path: reference.path, tag }, pinned })
  }
  const digests = new Map<string, Digest | Fault>()
  const queue = [...wanted]
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, { reference, pinned }] = next
      try {
        digests.set(name, await digestToPin(reference, pinned, question.moment, services, call))
      } catch (error) {
        const fault = toFault(error)
        if (fault.code === 'cancelled' || fault.code === 'internal') throw fault
        digests.set(name, fault)
      }
      call.onProgress?.(digests.size, wanted.size)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atATime, queue.length) }, work))
  return digests
}

interface Pinning {
  readonly question: PinQuestion
  readonly digests: Digests
  readonly report: PinReport
  warn(message: string): void
}

/** Gives the diff of one file. */
async function pinFile(file: ReadFile, places: readonly Place[], pinning: Pinning): Promise<string> {
  const { question, digests, report } = pinning
  const updates: PinUpdate[] = []
  const edits: Edit[] = []
  for (const { site, reference } of places) {
    const told = digests.get(formatReference(reference))
    const { digest = null } = reference
    const image = site.image.replace(/@.*$/s, '')
    if (told instanceof Fault) report.problems.push(problemOf(file.path, told, site))
    else if (digest !== null && (told === undefined || told === digest)) {
      report.pinned.push({ file: file.path, line: site.line, image, digest } satisfies PinnedImage)
    } else if (told !== undefined) {
      updates.push({ file: file.path, image, digest, updated_digest: told, line: site.line })
      edits.push(...site.edits({ digest: told, dropsTag: question.dropsTag }))
      if (site.assumed.length > 0) {
        pinning.warn(
          `${file.path}:${site.line}: pinned for ${site.assumed.join(', ')}; another value builds the same image`,
        )
      }
    }
  }
  if (edits.length === 0) return ''
  const after = applyEdits(file.text, edits)
  try {
    if (question.writes) await rewriteFile(file.path, file.bytes, Buffer.from(after, 'utf8'))
  } catch (error) {
    report.problems.push(problemOf(file.path, toFault(error)))
    return ''
  }
  report.updates.push(...updates)
  return unifiedDiff(
    file.path
      .split(sep)
      .join('/')
      .replace(/^(?:\.?\/)+/, ''),
    file.text,
    after,
  )
}

/** Where a digest is written nothing is missing, whatever the variables before it are. */
function tellOpen(file: ReadFile, report: PinReport): void {
  for (const { line, text, reason, isPinned } of file.open) {
    if (isPinned) {
      const at = text.lastIndexOf('@')
      const digest = text.slice(at + 1).replace(/["']$/, '')
      report.pinned.push({ file: file.path, line, image: text.slice(0, at), digest })
    } else report.problems.push({ file: file.path, line, image: text, code: 'open', reason })
  }
}

function problemOf(file: string, fault: Fault, site?: ImageSite): PinProblem {
  const reason = `${oneLine(fault.message)}. ${fault.fix}`
  return { file, line: site?.line ?? null, image: site?.image ?? null, code: fault.code, reason }
}
