import type { PackageList, Package as WirePackage } from '../../client/src/index.js'
import { Fault } from '../core/fault.js'
import type { Inventory } from '../core/inventory.js'
import type { Package } from '../core/package.js'
import { hostPlatform, type Platform, parsePlatform } from '../core/platform.js'
import { analyzeImage } from '../flows/analyze-image.js'
import { isLocalSource } from '../flows/image-location.js'
import type { Operation, OperationContext } from './operation.js'

/** Which packages are in an image. */
export const packages: Operation<'packages'> = {
  name: 'packages',
  summary: 'Which packages are in an image, each with what says so',
  capability: 'upstream.read',
  async run({ source, platform, evidence }, context) {
    const { services, cost, signal, warn, onProgress } = context
    requireReadable(source, context)
    const before = cost.bytes
    const question = { source, platform: platformOf(platform), isPlatformAsked: platform !== undefined }
    const call = { cost, signal, warn, evidence, ...(onProgress && { onProgress }) }
    const { inventory } = await analyzeImage(question, services, call)
    return { body: wirePackages(inventory, cost.bytes - before) }
  },
}

/**
 * Refuses what lies on the server's own disk: it is nobody's business there.
 * @throws Fault `invalid-argument`
 */
export function requireReadable(source: string, context: OperationContext): void {
  if (context.readsLocalSources === true || !isLocalSource(source)) return
  throw new Fault('invalid-argument', 'a server reads images from registries only', {
    fix: 'Give a reference, or run the command without --server.',
  })
}

/** `--platform`, else Linux on the machine's own architecture. */
export function platformOf(platform: string | undefined): Platform {
  return platform === undefined ? hostPlatform(process.arch) : parsePlatform(platform)
}

function wirePackages(inventory: Inventory, bytesFetched: number): PackageList {
  const { image, distribution, evidence, sbomTool = null, complete, warnings } = inventory
  return {
    image: { ...image },
    distribution: distribution === null ? null : { id: distribution.id, versionId: distribution.versionId },
    ...{ evidence, sbomTool, complete },
    packages: inventory.packages.map(wirePackage),
    bytesFetched,
    warnings: [...warnings],
  }
}

function wirePackage(one: Package): WirePackage {
  const { type, name, version, purl, source, architecture, licenses, layer, evidence, ownedBy } = one
  const { isVirtual = false, module = null, installedBytes = null } = one
  return {
    ...{ type, name, version, purl },
    source: source === null ? null : { name: source.name, version: source.version },
    ...{ architecture, licenses: [...licenses], layer, evidence, ownedBy, isVirtual, module, installedBytes },
  }
}
