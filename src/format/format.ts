import type { ScanReport } from '../core/finding.js'
import type { ImageDiff } from '../core/image-diff.js'
import type { Inventory } from '../core/inventory.js'

/** A form of a diff. One object a file, one line in list.ts. The same diff gives the same text. */
export interface DiffFormat {
  /** What `-o` takes, and the name of its file. */
  readonly name: string
  readonly mediaType: string
  write(diff: ImageDiff): string
}

/** A form of a list of packages. The same packages give the same text, in whatever order they come. */
export interface PackagesFormat {
  readonly name: string
  readonly mediaType: string
  write(inventory: Inventory): string
}

/** A form of what a scan found. The same report gives the same text. */
export interface ScanFormat {
  readonly name: string
  readonly mediaType: string
  write(report: ScanReport): string
}
