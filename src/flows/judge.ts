import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Advisories, SnapshotIdentity } from '../core/advisory.js'
import { Fault, isFault, oneLine } from '../core/fault.js'
import type { Judgement } from '../core/finding.js'
import type { Inventory } from '../core/inventory.js'
import { limits } from '../core/limits.js'
import { formatTime } from '../core/time.js'
import { applyIgnores, type IgnoreRule, parseIgnoreFile } from '../vuln/ignore-file.js'
import { matchInventory } from '../vuln/match.js'
import { applyVex } from '../vuln/vex/apply-vex.js'
import { parseVex } from '../vuln/vex/parse-vex.js'
import type { VexStatement } from '../vuln/vex/vex-format.js'
import type { Services } from './open.js'

/** What is said of findings besides the advisory data: files of this machine. */
export interface JudgeDocuments {
  /** Paths of VEX documents, besides those of `vex:` in the configuration. */
  readonly vex?: readonly string[] | undefined
  /** Path of an ignore file. */
  readonly ignoreFile?: string | undefined
}

/** Judges inventories by one snapshot. */
export interface Judge {
  readonly identity: SnapshotIdentity
  readonly advisories: Advisories
  /** @param digests of the index that the image was found in: a VEX statement about it is about the image too */
  judge(inventory: Inventory, digests?: readonly string[]): Judgement
  /** Leaves the snapshot to others. */
  close(): void
}

/** As documents show it. */
export function shownSnapshot({ id, builtAt }: SnapshotIdentity): { readonly id: string; readonly builtAt: string } {
  return { id, builtAt: formatTime(builtAt) }
}

/**
 * Opens the advisory data as it is now, with what the configuration and `documents` say of findings.
 * @throws Fault `no-advisory-data`, `advisories-damaged`, `file-unreadable`, `invalid-vex`, `invalid-argument`
 */
export async function openJudge(services: Services, documents: JudgeDocuments = {}): Promise<Judge> {
  const advisories = await services.advisories()
  try {
    return judgeWith(advisories, services, await readDocuments(services, documents))
  } catch (error) {
    advisories.close()
    throw error
  }
}

/** The same, but null where there is no advisory data at all. */
export async function openJudgeIfAny(services: Services, documents: JudgeDocuments = {}): Promise<Judge | null> {
  try {
    return await openJudge(services, documents)
  } catch (error) {
    if (isFault(error, 'no-advisory-data')) return null
    throw error
  }
}

/** What was read of documents. */
export interface ReadDocuments {
  readonly statements: readonly VexStatement[]
  readonly ignores: { readonly name: string; readonly rules: readonly IgnoreRule[] } | null
  readonly warnings: readonly string[]
}

/** A judge by advisory data that is open; closes it. */
export function judgeWith(
  advisories: Advisories,
  services: Pick<Services, 'clock'>,
  { statements, ignores, warnings }: ReadDocuments,
): Judge {
  return {
    identity: advisories.identity,
    advisories,
    judge(inventory, digests = []) {
      const now = services.clock.now()
      const judged = matchInventory(inventory, advisories, { now })
      const vex = applyVex(judged.findings, statements, { ...inventory, digests })
      const ignored =
        ignores === null
          ? { findings: vex.findings, warnings: [] }
          : applyIgnores(vex.findings, ignores.rules, { name: ignores.name, now })
      return {
        ...judged,
        findings: ignored.findings,
        warnings: [...judged.warnings, ...warnings, ...ignored.warnings],
      }
    },
    close: () => advisories.close(),
  }
}

/**
 * Reads VEX documents and the ignore file. Paths of the configuration are beside it.
 * @throws Fault `file-unreadable`, `too-large`, `invalid-vex`, `invalid-argument`
 */
export async function readDocuments(
  services: Services,
  { vex = [], ignoreFile }: JudgeDocuments,
): Promise<ReadDocuments> {
  const config = await services.config()
  const paths = [...(config.vex ?? []).map((path) => resolve(services.configFolder, path)), ...vex]
  const statements: VexStatement[] = []
  const warnings: string[] = []
  for (const path of paths) {
    const document = parseVex(await readWhole(path, limits.vexBytes), path)
    statements.push(...document.statements)
    warnings.push(...document.warnings)
    if (document.refused > 0)
      warnings.push(`${path}: ${document.refused} statements could not be read, and do not count`)
  }
  if (ignoreFile === undefined) return { statements, ignores: null, warnings }
  const text = (await readWhole(ignoreFile, limits.ignoreFileBytes)).toString('utf8')
  return { statements, ignores: { name: ignoreFile, rules: parseIgnoreFile(text, ignoreFile) }, warnings }
}

async function readWhole(path: string, maxBytes: number): Promise<Buffer> {
  try {
    const { size } = await stat(path)
    if (size > maxBytes) throw new Fault('too-large', `${oneLine(path)} has ${size} bytes`)
    return await readFile(path)
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw new Fault('file-unreadable', `cannot read ${oneLine(path)} (${code})`, { cause })
  }
}
