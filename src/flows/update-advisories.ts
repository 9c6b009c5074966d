import type { SnapshotIdentity } from '../core/advisory.js'
import type { Cost } from '../core/cost.js'
import { Fault, type FaultCode, oneLine, toFault } from '../core/fault.js'
import { createDownloader, type Downloader } from '../vuln/download.js'
import { readAdvisoryFile } from '../vuln/read-file.js'
import type { SnapshotBuilder } from '../vuln/snapshot-builder.js'
import type { AdvisoryDownload } from '../vuln/sources/advisory-source.js'
import { beginSnapshot, snapshotPath, type WantedSource, wantedSources, whileBuilding } from './advisory-files.js'
import type { Services } from './open.js'

/** What became of one part. */
export interface UpdatedPart {
  readonly source: string
  readonly part: string | null
  readonly outcome: 'renewed' | 'unchanged' | 'failed'
  /** That there are now. */
  readonly records: number
  /** Why it failed; null where it did not. */
  readonly failure: string | null
}

/** What an update came to. */
export interface AdvisoryUpdate {
  readonly identity: SnapshotIdentity
  readonly parts: readonly UpdatedPart[]
}

/** What is no part's own trouble: then nothing is put in place. */
const fatal: ReadonlySet<FaultCode> = new Set(['cancelled', 'disk-full', 'store-unavailable', 'internal'])

/** How an update goes. */
export interface UpdateCall {
  /** Names of sources; empty: those that are configured. */
  readonly sources: readonly string[]
  readonly cost: Cost
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((text: string) => void) | undefined
}

/**
 * Downloads what has changed of each source and puts a new snapshot in place of the old one. A part that cannot be renewed
 * stays as it was, and the snapshot says so.
 * @throws Fault `invalid-config`, `invalid-argument`, `store-unavailable`, `disk-full`, `cancelled`; where there is no older
 *   snapshot and nothing could be downloaded, what went wrong with the first part
 */
export async function updateAdvisories(services: Services, call: UpdateCall): Promise<AdvisoryUpdate> {
  const config = await services.config()
  const wanted = wantedSources(config, call.sources)
  const path = await snapshotPath(services)
  return await whileBuilding(path, services, async () => {
    const { clock, random, environment } = services
    const allow = config.network?.allow ?? []
    const downloader = createDownloader({ folder: `${path}.downloads`, clock, random, environment, allow })
    const builder = await beginSnapshot(path, services, { keepsOld: true, inThread: true })
    let isFinished = false
    try {
      const parts: UpdatedPart[] = []
      const faults: Fault[] = []
      for (const one of wanted) {
        for (const download of one.source.downloads(one.parts)) {
          parts.push(await updatePart(one, download, builder, downloader, call, faults))
        }
      }
      const [first] = faults
      if (first !== undefined && parts.every(({ records }) => records === 0)) throw first
      isFinished = true
      return { identity: await builder.finish(), parts }
    } finally {
      if (!isFinished) await builder.discard()
      downloader.close()
    }
  })
}

async function updatePart(
  { source, url }: WantedSource,
  { part, path }: AdvisoryDownload,
  builder: SnapshotBuilder,
  downloader: Downloader,
  call: UpdateCall,
  faults: Fault[],
): Promise<UpdatedPart> {
  const { name } = source
  const title = part === null ? name : `${name} ${part}`
  const told = async (outcome: UpdatedPart['outcome'], failure: string | null = null) => ({
    ...{ source: name, part, outcome, records: await builder.records(name, part), failure },
  })
  try {
    const location = new URL(`${url}/${path}`)
    const known = await builder.validators(name, part)
    const file = await downloader.fetch(location, known, { ...call, onProgress: progressOf(title, call) })
    if (file === null) {
      await builder.downloaded(name, part, known)
      return await told('unchanged')
    }
    try {
      call.onProgress?.(`${title}: reading`)
      await builder.attempt(() => readPart(file.path, { source, part, path }, builder, call))
    } finally {
      // A damaged file is damaged for good: the next update begins anew.
      file.remove()
    }
    await builder.downloaded(name, part, file.validators)
    return await told('renewed')
  } catch (error) {
    const fault = toFault(error)
    if (call.signal?.aborted || fatal.has(fault.code)) throw fault
    faults.push(fault)
    await builder.failed(name, part, oneLine(fault.message))
    return await told('failed', fault.message)
  }
}

async function readPart(
  file: string,
  { source, part, path }: AdvisoryDownload & Pick<WantedSource, 'source'>,
  builder: SnapshotBuilder,
  call: UpdateCall,
): Promise<void> {
  const before = await builder.records(source.name, part)
  const unknown: string[] = []
  // Before anything is read: of a page that is no advisory data nothing would be put anywhere, and the old would seem renewed.
  const sink = builder.sink(source, { renews: { part } })
  await readAdvisoryFile(
    file,
    {
      sources: [source],
      sink: () => sink,
      settle: () => builder.settle(),
      refuse: (reason) => unknown.push(reason),
      isLenient: false,
      signal: call.signal,
    },
    path.replace(/\/$/, '').split('/').at(-1) ?? path,
  )
  // What is no longer there at all was not withdrawn: it is a wrong address, or a page that asks to log in.
  const isEmpty = (await builder.records(source.name, part)) === 0
  if (isEmpty && (before > 0 || unknown.length > 0)) {
    throw new Fault(
      'broken-answer',
      `what was downloaded holds nothing that can be read: ${unknown[0] ?? 'no records'}`,
    )
  }
}

function progressOf(title: string, { onProgress }: UpdateCall) {
  return (doneBytes: number, ofBytes: number | null) => {
    const of = ofBytes === null ? '' : ` of ${(ofBytes / 1e6).toFixed(1)}`
    onProgress?.(`${title}: ${(doneBytes / 1e6).toFixed(1)}${of} MB`)
  }
}
