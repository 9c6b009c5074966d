import { parseImageConfig } from '../core/image-config.js'
import type { ImageDiff } from '../core/image-diff.js'
import type { ImageFacts } from '../core/image-facts.js'
import type { Platform } from '../core/platform.js'
import { diffImages as compare } from '../diff/image.js'
import { filesOf } from '../image/tree-files.js'
import { type AnalyzeCall, type AnalyzedImage, analyzeImage } from './analyze-image.js'
import type { Services } from './open.js'

/** Which two images are compared; the platform is the same for both. */
export interface DiffQuestion {
  readonly from: string
  readonly to: string
  readonly platform: Platform
}

/**
 * Compares two images. One after the other: what the first reads, the second finds.
 * @throws Fault as `analyzeImage`
 */
export async function diffImages(question: DiffQuestion, services: Services, call: AnalyzeCall): Promise<ImageDiff> {
  const { platform } = question
  const before = call.cost.bytes
  const from = await analyzeImage({ source: question.from, platform }, services, call)
  const to = await analyzeImage({ source: question.to, platform }, services, call)
  return compare(factsOf(from), factsOf(to), call.cost.bytes - before)
}

function factsOf({ inventory, config, layers, platforms, tree }: AnalyzedImage): ImageFacts {
  return {
    ...{ inventory, config: config.length === 0 ? null : parseImageConfig(config), layers, platforms },
    ...(tree !== null && { files: filesOf(tree) }),
  }
}
