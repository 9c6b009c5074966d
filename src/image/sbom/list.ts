import { cyclonedx } from './cyclonedx.js'
import type { SbomReader } from './sbom-reader.js'
import { spdx2 } from './spdx2.js'
import { spdx3 } from './spdx3.js'
import { syft } from './syft.js'

/** Every kind of SBOM that is read. */
export const sbomReaders: readonly SbomReader[] = [
  cyclonedx, //
  spdx2,
  spdx3,
  syft,
]
