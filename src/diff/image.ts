import type { ImageDiff, PackagesDiff } from '../core/image-diff.js'
import type { ImageFacts } from '../core/image-facts.js'
import { formatTime } from '../core/time.js'
import { diffConfigs } from './config.js'
import { changeFacts, packageFacts } from './facts.js'
import { diffFiles } from './files.js'
import { diffLayers } from './layers.js'
import { diffLicenses } from './licenses.js'
import { diffPackages } from './packages.js'
import { diffPlatforms } from './platforms.js'
import { diffSizes } from './size.js'
import { diffVulnerabilities } from './vulnerabilities.js'

/**
 * Everything that two images differ in. The same facts give the same document, byte for byte, whatever order their packages
 * and files come in.
 * @param bytesFetched bytes that the registries sent for both sides
 */
export function diffImages(from: ImageFacts, to: ImageFacts, bytesFetched: number): ImageDiff {
  const before = from.inventory
  const after = to.inventory
  const found = diffPackages(before.packages, after.packages)
  const { added, removed, changed } = found
  const packages = {
    added: added.map(packageFacts),
    removed: removed.map(packageFacts),
    changed: changed.map(changeFacts),
  }
  const haveLayers = [from, to].every(({ config, layers }) => config !== null || layers.length > 0)
  const complete = before.complete && after.complete
  const config = diffConfigs(from.config, to.config)
  const layers = haveLayers ? diffLayers(from.layers, to.layers) : null
  const files = diffFiles(from.files, to.files)
  return {
    from: before.image,
    to: after.image,
    evidence: { from: before.evidence, to: after.evidence },
    complete,
    sameButForTimestamps: isSameButForTimestamps({ packages, config, layers, files, complete }),
    packages,
    ...vulnerabilitiesOf(from, to, found),
    config,
    platforms: diffPlatforms(from.platforms, to.platforms),
    layers,
    size: diffSizes(from, to, found),
    licenses: diffLicenses(before.packages, after.packages),
    files,
    bytesFetched,
    warnings: warningsOf(from, to),
  }
}

/** Whether the diff holds any difference: what `--exit-code` asks. Platforms of the indexes around the images do not count. */
export function isDifferent(diff: Pick<ImageDiff, 'packages' | 'config' | 'layers' | 'files'>): boolean {
  const { packages, config, layers, files } = diff
  return (
    packages.added.length + packages.removed.length + packages.changed.length > 0 ||
    Object.keys(config ?? {}).length > 0 ||
    (layers !== null && layers.added.length + layers.removed.length > 0) ||
    (files !== null && files.added.length + files.removed.length + files.changed.length + files.timeOnly > 0)
  )
}

function vulnerabilitiesOf(
  from: ImageFacts,
  to: ImageFacts,
  packages: PackagesDiff,
): Pick<ImageDiff, 'snapshot' | 'vulnerabilities'> {
  if (from.judgement === undefined || to.judgement === undefined) return { snapshot: null, vulnerabilities: null }
  const { id, builtAt } = to.judgement.snapshot
  return {
    snapshot: { id, builtAt: formatTime(builtAt), sources: [] },
    vulnerabilities: diffVulnerabilities(
      { inventory: from.inventory, judgement: from.judgement },
      { inventory: to.inventory, judgement: to.judgement },
      packages,
    ),
  }
}

type Compared = Pick<ImageDiff, 'packages' | 'config' | 'layers' | 'files' | 'complete'>

function isSameButForTimestamps({ packages, config, layers, files, complete }: Compared): boolean | null {
  const haveSameLayers = layers !== null && layers.added.length + layers.removed.length === 0
  const filesDiffer = files !== null && files.added.length + files.removed.length + files.changed.length > 0
  if (filesDiffer || isDifferent({ packages, config, layers: null, files: null })) return false
  if (haveSameLayers && config !== null) return true
  return files === null || files.unknown > 0 || config === null || !complete ? null : true
}

/** Those of both sides once, then the others with their side. */
function warningsOf(from: ImageFacts, to: ImageFacts): readonly string[] {
  const [left, right] = [allWarnings(from), allWarnings(to)]
  const ofTo = new Set(right)
  const both = new Set(left.filter((warning) => ofTo.has(warning)))
  const ofSide = (side: string, warnings: readonly string[]) =>
    warnings.filter((warning) => !both.has(warning)).map((warning) => `${side}: ${warning}`)
  const kinds = [from.inventory.evidence, to.inventory.evidence]
  const isMixed = kinds.includes('layers') && kinds.some((kind) => kind !== 'layers')
  const mixed = isMixed ? ['one side rests on an SBOM and the other on layers: what differs may come from that'] : []
  return [...mixed, ...both, ...ofSide('from', left), ...ofSide('to', right)]
}

function allWarnings({ inventory, judgement }: ImageFacts): readonly string[] {
  return [...inventory.warnings, ...(judgement?.warnings ?? [])]
}
