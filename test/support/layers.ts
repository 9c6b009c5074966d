import { systemClock } from '../../src/core/clock.js'
import { digestOf } from '../../src/core/digest.js'
import type { LayerSource } from '../../src/core/layer.js'
import { type CaptureMatcher, compileCaptures } from '../../src/image/capture.js'
import { collectEvidence, type ImageEvidence } from '../../src/image/collect-evidence.js'
import type { LayerRecord } from '../../src/image/layer-record.js'
import { mergeLayers } from '../../src/image/merge-layers.js'
import type { Capture, EvidenceFiles } from '../../src/image/packages/package-reader.js'
import { type ReadLayerOptions, readLayer, withExtra } from '../../src/image/read-layer.js'
import type { ImageTree } from '../../src/image/tree.js'
import { type TarInput, tar } from './tar.js'

/** A layer that lies in memory, given out in small pieces. */
export function layerSource(bytes: Uint8Array, more: Partial<LayerSource> = {}): LayerSource {
  return {
    digest: digestOf(bytes),
    diffId: null,
    mediaType: '',
    sizeBytes: bytes.length,
    async *open() {
      for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000)
    },
    ...more,
  }
}

/** apk's database and the manifests of npm packages: as much as tests of layers need to see what is there. */
export const smallCaptures: readonly Capture[] = [
  {
    kind: 'apk-installed',
    names: ['installed'],
    wants: (path) => /^(?:usr\/)?lib\/apk\/db\/installed$/.test(path),
    maxBytes: 1_000_000,
  },
  {
    kind: 'package-json',
    names: ['package.json'],
    wants: (path) => path.includes('node_modules/'),
    maxBytes: 1_000_000,
  },
]

/** Names and versions that {@link smallCaptures} tell of: `demo 1.0-r0`. */
export function smallPackages(files: EvidenceFiles): string[] {
  const found: string[] = []
  for (const { bytes } of files.list('apk-installed')) {
    for (const block of bytes.toString().split('\n\n')) {
      const [, name, version] = /^P:(.*)\nV:(.*)$/m.exec(block) ?? []
      if (name !== undefined) found.push(`${name} ${version}`)
    }
  }
  for (const { bytes } of files.list('package-json')) {
    const match = /^\{"name":"([^"]+)","version":"([^"]+)"\}$/.exec(bytes.toString())
    if (match) found.push(`${match[1]} ${match[2]}`)
  }
  return found.sort()
}

/** What an image of such layers comes to, second reads included. */
export interface TestImage {
  readonly tree: ImageTree
  readonly records: readonly LayerRecord[]
  readonly evidence: ImageEvidence
  /** Of the first read. */
  readonly missing: ImageEvidence['missing']
  readonly warnings: readonly string[]
}

/** Reads and merges layers, each given as the entries of its archive. */
export async function imageOf(layers: readonly (readonly TarInput[])[], captures = smallCaptures): Promise<TestImage> {
  return imageOfSources(
    layers.map((entries) => layerSource(tar(...entries))),
    compileCaptures([{ captures }]),
  )
}

/** Reads and merges layers, and reads again what links lead to. */
export async function imageOfSources(
  sources: readonly LayerSource[],
  matcher: CaptureMatcher,
  more: Partial<ReadLayerOptions> = {},
): Promise<TestImage> {
  const options = { matcher, clock: systemClock, ...more }
  const records: LayerRecord[] = []
  for (const source of sources) records.push(await readLayer(source, options))
  const { tree, warnings } = mergeLayers(records)
  const { missing } = collectEvidence(tree, records, matcher)
  for (const [index, source] of sources.entries()) {
    const extra = missing.filter(({ layer }) => layer === index)
    if (extra.length === 0) continue
    const second = await readLayer(source, { ...options, extra })
    records[index] = withExtra(records[index] as LayerRecord, second)
  }
  const evidence = collectEvidence(tree, records, matcher)
  const all = [...records.flatMap((record) => record.warnings), ...warnings, ...evidence.warnings]
  return { tree, records, evidence, missing, warnings: all.map(({ path, message }) => `${path}: ${message}`) }
}

/** Paths of the merged tree, each with a letter: `f` file, `d` folder, `l` link, `o` other. */
export function listing(tree: ImageTree): string[] {
  return [...tree.entries()].map(({ path, type }) => `${'f?loodo'[type]} ${path}`)
}
