import { chainguard } from './chainguard.js'
import { cyclonedx, scanCyclonedx } from './cyclonedx.js'
import type { DiffFormat, PackagesFormat, ScanFormat } from './format.js'
import { github, scanGithub } from './github.js'
import { markdown, scanMarkdown } from './markdown.js'
import { purl } from './purl.js'
import { sarif, scanSarif } from './sarif.js'
import { spdx } from './spdx.js'

/** Every form of a diff beside `json`, which is the diff itself, and `table`, which the terminal makes. */
export const diffFormats: readonly DiffFormat[] = [
  chainguard, //
  github,
  markdown,
  sarif,
]

/** Every form of a list of packages beside `json` and `table`. */
export const packagesFormats: readonly PackagesFormat[] = [
  cyclonedx, //
  purl,
  spdx,
]

/** Every form of what a scan found beside `json` and `table`. */
export const scanFormats: readonly ScanFormat[] = [
  scanCyclonedx, //
  scanGithub,
  scanMarkdown,
  scanSarif,
]
