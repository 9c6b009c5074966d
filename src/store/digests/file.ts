import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Clock } from '../../core/clock.js'
import { type Digest, isDigest } from '../../core/digest.js'
import { Fault } from '../../core/fault.js'
import { formatTime } from '../../core/time.js'
import { withLockFile } from '../lock-file.js'
import { makeFolder } from '../make-folder.js'
import type { DigestChange, DigestStore, DigestStoreKind } from './digest-store.js'

/**
 * `file:PATH`: JSON with sorted keys, for a cache of CI or a folder of one machine. Written whole under another name and
 * renamed, so that nobody ever reads half of it; read, merged and written under a lock, so that two checks at once lose nothing.
 */
export const fileDigests: DigestStoreKind = {
  schemes: ['file'],
  example: 'file:PATH',
  open: (url, { clock }) => openFile(resolve(url.slice('file:'.length).replace(/^\/\/(?=\/)/, '')), clock),
}

/** A hundred thousand tags are 20 MB. */
const maxBytes = 256 * 1024 * 1024

type Entries = Map<string, { readonly digest: Digest; readonly checkedAt: string }>

function openFile(path: string, clock: Clock): DigestStore {
  return {
    // One file is written whole, however much of it changes.
    maxChanges: Number.POSITIVE_INFINITY,
    async get(references) {
      const entries = await read(path, clock)
      const known = new Map<string, Digest>()
      for (const reference of references) {
        const entry = entries.get(reference)
        if (entry !== undefined) known.set(reference, entry.digest)
      }
      return known
    },
    async update(changes) {
      return await telling(path, async () => {
        await makeFolder(dirname(path))
        return await withLockFile(`${path}.lock`, clock, () => merge(path, changes, clock))
      })
    },
    close: async () => undefined,
  }
}

async function merge(path: string, changes: readonly DigestChange[], clock: Clock): Promise<ReadonlySet<string>> {
  const entries = await read(path, clock)
  const checkedAt = formatTime(clock.now())
  const refused = new Set<string>()
  for (const { reference, from, to } of changes) {
    if ((entries.get(reference)?.digest ?? null) !== from) refused.add(reference)
    else entries.set(reference, { digest: to, checkedAt })
  }
  if (refused.size < changes.length) await write(path, entries)
  return refused
}

async function write(path: string, entries: Entries): Promise<void> {
  const digests = Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(`${JSON.stringify({ version: 1, digests }, null, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/**
 * A file of ours that is damaged is kept aside under another name: the next check begins afresh, and nothing is lost. Any other
 * file is somebody's, and stays. An empty one was cut off: taking it for a beginning would call everything new.
 */
async function read(path: string, clock: Clock): Promise<Entries> {
  const text = await telling(path, async () => {
    try {
      const stats = await stat(path)
      // A device is nobody's state file: it is neither read without end nor moved away.
      if (!stats.isFile()) throw notAFile(path)
      if (stats.size > maxBytes) throw new Fault('too-large', `the state file ${path} has ${stats.size} bytes`)
      return await readFile(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  })
  if (text === null) return new Map()
  const entries = parse(text)
  if (entries !== null) return entries
  if (!isOurs(text)) throw notOurs(path)
  const aside = `${path}.damaged-${formatTime(clock.now()).replace(/[:.]/g, '-')}`
  await telling(path, () => rename(path, aside))
  throw new Fault('store-damaged', `the state file ${path} is damaged; it was kept aside as ${aside}`, {
    fix: 'Mend it and move it back, or check again to begin afresh.',
  })
}

/** Whether a text was written here, whole or not: it begins as all do, or holds what ours hold. */
function isOurs(text: string): boolean {
  return text === '' || /^\s*\{\s*"version"\s*:\s*\d+\s*,\s*"digests"/.test(text)
}

function parse(text: string): Entries | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The caller keeps the file aside and tells.
    return null
  }
  const { version, digests } = (value ?? {}) as { version?: unknown; digests?: unknown }
  if (version !== 1 || typeof digests !== 'object' || digests === null) return null
  const entries: Entries = new Map()
  for (const [reference, entry] of Object.entries(digests)) {
    const { digest, checkedAt } = (entry ?? {}) as { digest?: unknown; checkedAt?: unknown }
    if (typeof digest !== 'string' || !isDigest(digest) || typeof checkedAt !== 'string') return null
    entries.set(reference, { digest, checkedAt })
  }
  return entries
}

function notOurs(path: string): Fault {
  return new Fault('store-unavailable', `${path} is no state file of Tidemark, and is left alone`, {
    fix: 'Give another path with --store file:PATH; a list of references goes with -f FILE.',
  })
}

function notAFile(path: string): Fault {
  return new Fault('store-unavailable', `the state file ${path} is no regular file`, {
    fix: 'Give another path with --store file:PATH; `--since DIGEST` compares without any.',
  })
}

async function telling<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new Fault('disk-full', `no space left for the state file ${path}`, { cause })
    }
    throw new Fault('store-unavailable', `the state file ${path} cannot be used (${code ?? 'unknown error'})`, {
      cause,
      fix: 'Check the path and its permissions, or give another with --store file:PATH.',
    })
  }
}
