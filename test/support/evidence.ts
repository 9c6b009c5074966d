import { gunzipSync } from 'node:zlib'
import type { FoundPackage } from '../../src/core/package.js'
import type {
  Capture,
  EvidenceFile,
  EvidenceFiles,
  PackageReader,
  ReadWarning,
} from '../../src/image/packages/package-reader.js'

/** What a reader makes of some files, without layers around them. */
export function readFiles(
  reader: PackageReader,
  files: Readonly<Record<string, Uint8Array | string>>,
): { packages: FoundPackage[]; warnings: ReadWarning[]; evidence: EvidenceFiles } {
  const evidence = evidenceOf(reader, files)
  const warnings: ReadWarning[] = []
  const packages = [...reader.read(evidence, (warning) => warnings.push(warning))]
  return { packages, warnings, evidence }
}

/** The evidence that a reader's captures keep of some files. */
export function evidenceOf(reader: PackageReader, files: Readonly<Record<string, Uint8Array | string>>): EvidenceFiles {
  const kept = new Map<string, EvidenceFile[]>()
  const paths = Object.keys(files).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  for (const path of paths) {
    const bytes = Buffer.from(files[path] as Uint8Array)
    for (const capture of reader.captures) {
      if (!isCandidate(capture, path, bytes) || capture.wants?.(path) === false) continue
      const reduced = capture.reduce === undefined ? bytes : capture.reduce(bytes, path)
      if (reduced === null) continue
      const list = kept.get(capture.kind) ?? []
      kept.set(capture.kind, list)
      list.push({ path, layer: null, bytes: Buffer.from(reduced) })
    }
  }
  return {
    list: (kind) => kept.get(kind) ?? [],
    get: (kind, path) => kept.get(kind)?.find((file) => file.path === path),
    has: (path) => paths.includes(path),
  }
}

/** A gzipped file's content. */
export function gunzip(bytes: Uint8Array): Buffer {
  return gunzipSync(bytes)
}

function isCandidate(capture: Capture, path: string, bytes: Buffer): boolean {
  const slash = path.lastIndexOf('/')
  const name = path.slice(slash + 1)
  const dot = name.lastIndexOf('.')
  return (
    capture.names?.includes(name) === true ||
    (dot >= 0 && capture.extensions?.includes(name.slice(dot)) === true) ||
    capture.directories?.includes(slash < 0 ? '' : path.slice(0, slash)) === true ||
    capture.magic?.some((magic) => bytes.subarray(0, magic.length).equals(magic)) === true
  )
}
