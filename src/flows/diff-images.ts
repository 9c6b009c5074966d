import { parseImageConfig } from '../core/image-config.js'
import type { ImageDiff } from '../core/image-diff.js'
import type { ImageFacts } from '../core/image-facts.js'
import type { Platform } from '../core/platform.js'
import { diffImages as compare } from '../diff/image.js'
import { newlyKnown } from '../diff/newly-known.js'
import type { SourceImage } from '../image/sources/image-source.js'
import { filesOf } from '../image/tree-files.js'
import { advisoriesIfAny, attachedVex, type JudgeDocuments, shownSnapshot } from './advisory-data.js'
import {
  type AnalyzeCall,
  type AnalyzedImage,
  analyzedBySbom,
  analyzeImage,
  analyzeOpened,
  knowsLayers,
} from './analyze-image.js'
import { attachedInventory } from './attached-sbom.js'
import type { Judge } from './judge.js'
import type { Services } from './open.js'
import { openImage } from './open-image.js'

/** Which two images are compared; the platform is the same for both. */
export interface DiffQuestion {
  readonly from: string
  readonly to: string
  readonly platform: Platform
  /** As in an image question. */
  readonly isPlatformAsked?: boolean
}

/** Both sides of a comparison, from the same sort of evidence. */
export interface AnalyzedPair {
  readonly from: AnalyzedImage
  readonly to: AnalyzedImage
}

/**
 * Compares two images. Both are judged by the advisory data as it is now; where there is none, nothing is said of
 * vulnerabilities.
 * @throws Fault as `analyzeImage` and `openJudge`; `snapshot-not-found`
 */
export async function diffImages(
  question: DiffQuestion,
  services: Services,
  call: AnalyzeCall,
  { since, ...documents }: DiffDocuments = {},
): Promise<ImageDiff> {
  const before = call.cost.bytes
  const judge = await openJudge(services, documents, since !== undefined)
  try {
    const { from, to } = await analyzePair(question, services, {
      ...call,
      wantsVex: documents.vex?.includes(attachedVex),
    })
    const [left, right] = [factsOf(from, judge), factsOf(to, judge)]
    const snapshot = judge === null ? null : shownSnapshot(judge.advisories)
    const diff = compare(left, right, call.cost.bytes - before, snapshot)
    if (judge === null || since === undefined || right.judgement === undefined) return diff
    const { judgementBy } = await import('./judgements.js')
    const older = await judgementBy(since, to, judge, services)
    return { ...diff, newlyKnown: { since, ...newlyKnown(older, right.judgement) } }
  } finally {
    judge?.close()
  }
}

/** Null where there is no advisory data and none is needed. What matches is loaded where there is something to match. */
async function openJudge(services: Services, documents: JudgeDocuments, isNeeded: boolean): Promise<Judge | null> {
  const advisories = isNeeded ? await services.advisories() : await advisoriesIfAny(services)
  if (advisories === null) return null
  const { judgeBy } = await import('./judge.js')
  return await judgeBy(advisories, services, documents)
}

/** What a diff is told besides the images. */
export interface DiffDocuments extends JudgeDocuments {
  /** A snapshot, by its id or the file of an exported one: what only newer data say of the second image is told too. */
  readonly since?: string | undefined
}

/**
 * Analyzes two images, one after the other: what the first reads, the second finds. With `auto`, attached SBOMs are taken only
 * where both sides have one of the same tool: an SBOM against layers, or against another tool's, invents changes.
 * @throws Fault as `analyzeImage`
 */
export async function analyzePair(
  { from, to, ...question }: DiffQuestion,
  services: Services,
  call: AnalyzeCall,
): Promise<AnalyzedPair> {
  const opened: SourceImage[] = []
  const isSbomFile = [from, to].some((source) => source.startsWith('sbom:'))
  if (isSbomFile) {
    const side = async (source: string) => await analyzeImage({ source, ...question }, services, call)
    return { from: await side(from), to: await side(to) }
  }
  try {
    for (const source of [from, to]) opened.push(await openImage({ source, ...question }, services, call))
    const [left, right] = opened as [SourceImage, SourceImage]
    const bySbom = await pairBySbom(left, right, services, call)
    if (bySbom !== null) return bySbom
    const both = { ...call, evidence: call.evidence === 'sbom' ? 'sbom' : 'layers' } as const
    return { from: await analyzeOpened(left, services, both), to: await analyzeOpened(right, services, both) }
  } finally {
    for (const image of opened) await image.close()
  }
}

/** Both sides by SBOMs of one tool that their indexes name; null where that is not wanted, not there, or costs more. */
async function pairBySbom(
  from: SourceImage,
  to: SourceImage,
  services: Services,
  call: AnalyzeCall,
): Promise<AnalyzedPair | null> {
  const { evidence = 'auto', wantsFiles } = call
  const images = [from, to]
  if (evidence !== 'auto' || wantsFiles) return null
  if (images.some(({ attached }) => (attached?.named.length ?? 0) === 0)) return null
  if ((await knowsLayers(from, services)) && (await knowsLayers(to, services))) return null
  const left = await attachedInventory(from, false, services, call)
  const right = left === null ? null : await attachedInventory(to, false, services, call)
  if (left === null || right === null || !left.sbomTool || left.sbomTool !== right.sbomTool) return null
  return { from: analyzedBySbom(left, from), to: analyzedBySbom(right, to) }
}

function factsOf(
  { inventory, config, layers, platforms, tree, attachedVex: attached }: AnalyzedImage,
  judge: Judge | null,
): ImageFacts {
  return {
    ...{ inventory, config: config.length === 0 ? null : parseImageConfig(config), layers, platforms },
    ...(tree !== null && { files: filesOf(tree) }),
    ...(judge !== null && { judgement: judge.judge(inventory, attached) }),
  }
}
