import type { ImageDiff } from '../../client/src/index.js'

/** The response of Chainguard's Image Diff API (sdk v0.1.20, DiffImageResponse as grpc-gateway writes it): lists are always there. */
export interface ChainguardDiff {
  packages: {
    added: { name: string; version: string; reference: string }[]
    removed: { name: string; version: string; reference: string }[]
    changed: {
      name: string
      current: { version: string; reference: string }
      previous: { version: string; reference: string }
    }[]
  }
  vulnerabilities: { added: never[]; removed: never[]; metadata: never[] }
  warnings: string[]
}

/** Entries may be cut; clients were told that they are no longer than this. */
const maxWarningLength = 256

/** A diff in that form: `current` is the TO side. Vulnerabilities are not judged yet, and a warning says so. */
export function chainguardDiff({ packages, warnings }: ImageDiff): ChainguardDiff {
  const plain = ({ name, version, purl }: { name: string; version: string; purl: string }) => {
    return { name, version, reference: purl }
  }
  return {
    packages: {
      added: packages.added.map(plain),
      removed: packages.removed.map(plain),
      changed: packages.changed.map(({ name, from, to, fromPurl, toPurl }) => ({
        name,
        current: { version: to, reference: toPurl },
        previous: { version: from, reference: fromPurl },
      })),
    },
    vulnerabilities: { added: [], removed: [], metadata: [] },
    warnings: ['vulnerabilities were not judged: there is no advisory data', ...warnings].map((warning) =>
      warning.slice(0, maxWarningLength),
    ),
  }
}
