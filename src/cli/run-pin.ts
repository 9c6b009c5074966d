import { setMaxListeners } from 'node:events'
import type { ImageDiff, PinProblem, PinReport } from '../../client/src/index.js'
import { type Cost, noCost } from '../core/cost.js'
import { type Digest, shortDigest } from '../core/digest.js'
import { Fault, toFault } from '../core/fault.js'
import { hostPlatform } from '../core/platform.js'
import { formatRepository, parseReference } from '../core/reference.js'
import { parseDuration, parseTime } from '../core/time.js'
import { diffImages } from '../flows/diff-images.js'
import type { Services } from '../flows/open.js'
import { pinFiles } from '../flows/pin-files.js'
import { type PinHistory, storedHistory } from '../flows/pin-history.js'
import type { PinCall, PinMoment } from '../flows/pinned-digest.js'
import { writePins } from '../format/markdown/pins.js'
import { tellCost } from './call.js'
import { callServer, parseServer, serverAddress } from './call-server.js'
import { type CommandContext, withServices } from './context.js'
import { tokenFor } from './login.js'
import { exitCodes, reportWarning } from './report.js'
import { serverHistory } from './server-history.js'
import { formatTable } from './table.js'
import { type Colors, colorsFor, startProgress } from './terminal.js'

/** Options of `tidemark pin`. */
export interface PinOptions {
  readonly update?: true | undefined
  readonly check?: true | undefined
  readonly diff?: true | undefined
  readonly dropTag?: true | undefined
  readonly asOf?: string | undefined
  readonly minAge?: string | undefined
  readonly withDiff?: true | undefined
  readonly output: 'table' | 'json' | 'markdown'
  readonly database?: string | undefined
  readonly config?: string | undefined
  /** Whose histories are asked. */
  readonly server?: string | undefined
  readonly cost?: true | undefined
}

/** The longest text that GitHub takes for a pull request. */
const maxCharacters = 65_536

/** Runs `tidemark pin`. */
export async function runPin(paths: readonly string[], options: PinOptions, context: CommandContext): Promise<void> {
  const { terminal, environment, signal } = context
  setMaxListeners(0, signal)
  const progress = startProgress(terminal, Date.now)
  const cost = noCost()
  const warn = (message: string) => reportWarning(message, terminal, environment)
  const call = {
    cost,
    signal,
    warn,
    onProgress: (done: number, of: number) => progress.update(`asked ${done} of ${of}`),
  }
  try {
    await withServices(context, options, async (services) => {
      const question = {
        ...{ paths, moment: momentOf(options, services.clock.now()), dropsTag: options.dropTag === true },
        updates: options.update === true || options.check === true,
        writes: options.check === undefined && options.diff === undefined,
      }
      const history = historyOf(options, services, context, warn)
      const { report, diff } = await pinFiles(question, services, { ...call, history })
      if (options.withDiff) await addDiffs(report, services, call)
      progress.end()
      for (const problem of report.problems) warn(problemText(problem))
      terminal.stdout.write(textOf(report, diff, options, colorsFor(terminal.stdout, environment)))
      tellCost(cost, context, options.cost === true)
      context.setExitCode(exitCodeOf(report, options))
    })
  } finally {
    progress.end()
  }
}

/** @throws Fault `invalid-argument` */
function historyOf(
  { server }: PinOptions,
  services: Services,
  context: CommandContext,
  warn: (message: string) => void,
): PinHistory {
  const address = serverAddress(server, context.environment)
  if (address === undefined) return storedHistory(services, warn)
  const url = parseServer(address)
  const { signal } = context
  let token: Promise<string | null> | undefined
  return serverHistory(async (input) => {
    token ??= tokenFor(url, context)
    return await callServer('history', input, { url, token: await token, signal })
  }, warn)
}

/** @throws Fault `invalid-time`, `invalid-duration` */
function momentOf({ asOf, minAge }: PinOptions, now: number): PinMoment {
  if (minAge !== undefined) return { kind: 'min-age', timeMs: now - parseDuration(minAge) }
  if (asOf === undefined) return { kind: 'now' }
  const timeMs = parseTime(asOf)
  if (timeMs <= now) return { kind: 'as-of', timeMs }
  throw new Fault('invalid-time', `${asOf} has not come yet`, { fix: 'Leave --as-of out for what tags are now.' })
}

function exitCodeOf({ updates, problems }: PinReport, { check }: PinOptions): number {
  if (check && updates.length > 0) return exitCodes.gate
  return problems.length > 0 ? exitCodes.usage : exitCodes.done
}

type DiffCall = Omit<PinCall, 'history'> & { readonly cost: Cost }

/** The same move in several files is compared once. */
async function addDiffs({ updates }: PinReport, services: Services, call: DiffCall): Promise<void> {
  const platform = hostPlatform(process.arch)
  const known = new Map<string, Promise<ImageDiff | null>>()
  for (const update of updates) {
    const repository = formatRepository(parseReference(update.image))
    const [from, to] = [`${repository}@${update.digest}`, `${repository}@${update.updated_digest}`]
    const key = `${from} ${to}`
    const compared =
      known.get(key) ?? (update.digest === null ? Promise.resolve(null) : compare(from, to, platform, services, call))
    known.set(key, compared)
    update.diff = await compared
  }
}

async function compare(
  from: string,
  to: string,
  platform: ReturnType<typeof hostPlatform>,
  services: Services,
  { cost, signal, warn }: DiffCall,
): Promise<ImageDiff | null> {
  try {
    const diff = await diffImages({ from, to, platform }, services, { cost, signal, warn })
    // The same document: the client's type is the one of core, without `readonly`.
    return diff as unknown as ImageDiff
  } catch (error) {
    const fault = toFault(error)
    if (fault.code === 'cancelled' || fault.code === 'internal') throw fault
    warn(`no diff of ${from} and ${to}: ${fault.message}. ${fault.fix}`)
    return null
  }
}

function problemText({ file, line, image, reason }: PinProblem): string {
  const place = line === null ? file : `${file}:${line}`
  return image === null ? `${place}: ${reason}` : `${place}: ${image}: ${reason}`
}

function textOf(report: PinReport, diff: string, options: PinOptions, colors: Colors): string {
  if (options.output === 'json') return `${JSON.stringify(report, null, 2)}\n`
  if (options.output === 'markdown') return writePins(report, maxCharacters, options.check === true)
  if (options.diff) return diff
  return tableOf(report, options, colors)
}

function tableOf({ updates, pinned }: PinReport, { check }: PinOptions, colors: Colors): string {
  if (updates.length === 0) {
    const kept = pinned.length === 1 ? '1 image is' : `${pinned.length} images are`
    return pinned.length === 0 ? 'nothing to pin\n' : `nothing to do: ${kept} pinned\n`
  }
  const word = (digest: string | null) => {
    if (check) return digest === null ? 'missing' : 'behind'
    return digest === null ? 'pinned' : 'moved'
  }
  const short = (digest: string | null) => (digest === null ? '-' : shortDigest(digest as Digest))
  const rows = updates.map(({ file, line, image, digest, updated_digest }) => [
    colors.yellow(word(digest)),
    `${file}:${line}`,
    image,
    short(digest),
    short(updated_digest),
  ])
  return formatTable(['STATUS', 'PLACE', 'IMAGE', 'WAS', 'IS'], rows, colors)
}
