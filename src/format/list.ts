import { chainguard } from './chainguard.js'
import { cyclonedx } from './cyclonedx.js'
import type { DiffFormat, PackagesFormat } from './format.js'
import { github } from './github.js'
import { markdown } from './markdown.js'
import { purl } from './purl.js'
import { spdx } from './spdx.js'

/** Every form of a diff beside `json`, which is the diff itself, and `table`, which the terminal makes. */
export const diffFormats: readonly DiffFormat[] = [
  chainguard, //
  github,
  markdown,
]

/** Every form of a list of packages beside `json` and `table`. */
export const packagesFormats: readonly PackagesFormat[] = [
  cyclonedx, //
  purl,
  spdx,
]
