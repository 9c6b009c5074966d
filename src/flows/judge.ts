import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Advisories, SnapshotIdentity } from '../core/advisory.js'
import { Fault, isFault, oneLine } from '../core/fault.js'
import type { Judgement } from '../core/finding.js'
import type { Inventory } from '../core/inventory.js'
import { limits } from '../core/limits.js'
import type { AttachedDocument } from '../image/attached-sbom.js'
import { applyIgnores, type IgnoreRule, parseIgnoreFile } from '../vuln/ignore-file.js'
import { matchInventory } from '../vuln/match.js'
import { applyVex } from '../vuln/vex/apply-vex.js'
import { parseVex } from '../vuln/vex/parse-vex.js'
import type { VexStatement } from '../vuln/vex/vex-format.js'
import { attachedVex, type JudgeDocuments } from './advisory-data.js'
import type { Services } from './open.js'

/** Judges inventories by one snapshot. */
export interface Judge {
  readonly identity: SnapshotIdentity
  readonly advisories: Advisories
  /** What the advisory data alone say. */
  match(inventory: Inventory): Judgement
  /**
   * What VEX documents and the ignore file make of that.
   * @param attached VEX documents that are attached to the image; one that cannot be read is told, and does not count
   */
  mark(matched: Judgement, inventory: Inventory, attached?: readonly AttachedDocument[]): Judgement
  /** Both, one after the other. */
  judge(inventory: Inventory, attached?: readonly AttachedDocument[]): Judgement
  /** Leaves the snapshot to others. */
  close(): void
}

/**
 * Opens the advisory data as it is now, with what the configuration and `documents` say of findings.
 * @throws Fault `no-advisory-data`, `advisories-damaged`, `file-unreadable`, `invalid-vex`, `invalid-argument`
 */
export async function openJudge(services: Services, documents: JudgeDocuments = {}): Promise<Judge> {
  return await judgeBy(await services.advisories(), services, documents)
}

/** A judge by advisory data that is open; closes it, also when its documents cannot be read. Throws as {@link openJudge}. */
export async function judgeBy(
  advisories: Advisories,
  services: Services,
  documents: JudgeDocuments = {},
): Promise<Judge> {
  try {
    return judgeWith(advisories, services, await readDocuments(services, documents))
  } catch (error) {
    advisories.close()
    throw error
  }
}

interface ReadDocuments extends ReadVex {
  readonly ignores: { readonly name: string; readonly rules: readonly IgnoreRule[] } | null
}

interface ReadVex {
  readonly statements: readonly VexStatement[]
  readonly warnings: readonly string[]
}

function judgeWith(
  advisories: Advisories,
  { clock }: Pick<Services, 'clock'>,
  { statements, ignores, warnings }: ReadDocuments,
): Judge {
  const match: Judge['match'] = (inventory) => matchInventory(inventory, advisories, { now: clock.now() })
  const mark: Judge['mark'] = (matched, inventory, attached = []) => {
    const own = readAttached(attached)
    const vex = applyVex(matched.findings, [...statements, ...own.statements], inventory)
    const ignored =
      ignores === null
        ? { findings: vex.findings, warnings: [] }
        : applyIgnores(vex.findings, ignores.rules, { name: ignores.name, now: clock.now() })
    return {
      ...matched,
      findings: ignored.findings,
      warnings: [...matched.warnings, ...warnings, ...own.warnings, ...ignored.warnings],
    }
  }
  return {
    ...{ identity: advisories.identity, advisories, match, mark },
    judge: (inventory, attached) => mark(match(inventory), inventory, attached),
    close: () => advisories.close(),
  }
}

/**
 * Reads VEX documents and the ignore file. Paths of the configuration are beside it.
 * @throws Fault `file-unreadable`, `too-large`, `invalid-vex`, `invalid-argument`
 */
async function readDocuments(services: Services, { vex = [], ignoreFile }: JudgeDocuments): Promise<ReadDocuments> {
  const config = await services.config()
  const files = vex.filter((path) => path !== attachedVex)
  const paths = [...(config.vex ?? []).map((path) => resolve(services.configFolder, path)), ...files]
  const statements: VexStatement[] = []
  const warnings: string[] = []
  for (const path of paths) {
    const document = parseVex(await readWhole(path, limits.vexBytes), path)
    statements.push(...document.statements)
    warnings.push(...document.warnings)
  }
  if (ignoreFile === undefined) return { statements, ignores: null, warnings }
  const text = (await readWhole(ignoreFile, limits.ignoreFileBytes)).toString('utf8')
  return { statements, ignores: { name: ignoreFile, rules: parseIgnoreFile(text, ignoreFile) }, warnings }
}

function readAttached(documents: readonly AttachedDocument[]): ReadVex {
  const statements: VexStatement[] = []
  const warnings: string[] = []
  for (const { name, bytes } of documents) {
    try {
      const document = parseVex(bytes, name)
      statements.push(...document.statements)
      warnings.push(...document.warnings)
    } catch (error) {
      if (!isFault(error, 'invalid-vex', 'too-large')) throw error
      warnings.push(error.message)
    }
  }
  return { statements, warnings }
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
