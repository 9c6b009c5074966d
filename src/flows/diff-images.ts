import { parseImageConfig } from '../core/image-config.js'
import type { Platform } from '../core/platform.js'
import { type ConfigChange, diffConfig } from '../diff/config.js'
import { diffLayers, type LayersDiff, sizeOf } from '../diff/layers.js'
import { diffLicenses, type LicensesDiff } from '../diff/licenses.js'
import { diffPackages, type PackagesDiff } from '../diff/packages.js'
import { type AnalyzeCall, type AnalyzedImage, analyzeImage } from './analyze-image.js'
import type { Services } from './open.js'

/** Which two images are compared; the platform is the same for both. */
export interface DiffQuestion {
  readonly from: string
  readonly to: string
  readonly platform: Platform
}

/** What two images differ in. */
export interface DiffResult {
  readonly from: AnalyzedImage
  readonly to: AnalyzedImage
  readonly packages: PackagesDiff
  readonly config: readonly ConfigChange[]
  readonly platforms: { readonly added: readonly string[]; readonly removed: readonly string[] } | null
  readonly layers: LayersDiff
  readonly size: { readonly from: ReturnType<typeof sizeOf>; readonly to: ReturnType<typeof sizeOf> }
  readonly licenses: LicensesDiff
}

/**
 * Compares two images. One after the other: what the first reads, the second finds.
 * @throws Fault as `analyzeImage`
 */
export async function diffImages(question: DiffQuestion, services: Services, call: AnalyzeCall): Promise<DiffResult> {
  const { platform } = question
  const from = await analyzeImage({ source: question.from, platform }, services, call)
  const to = await analyzeImage({ source: question.to, platform }, services, call)
  const [before, after] = [from.inventory.packages, to.inventory.packages]
  return {
    from,
    to,
    packages: diffPackages(before, after),
    config: diffConfig(parseImageConfig(from.config), parseImageConfig(to.config)),
    platforms: platformsOf(from, to),
    layers: diffLayers(from.layers, to.layers),
    size: { from: sizeOf(from.layers), to: sizeOf(to.layers) },
    licenses: diffLicenses(before, after),
  }
}

function platformsOf(from: AnalyzedImage, to: AnalyzedImage): DiffResult['platforms'] {
  const [before, after] = [from.platforms, to.platforms]
  if (before === null || after === null) return null
  return {
    added: after.filter((platform) => !before.includes(platform)),
    removed: before.filter((platform) => !after.includes(platform)),
  }
}
