import { csaf } from './csaf.js'
import { cyclonedxVex } from './cyclonedx-vex.js'
import { openvex } from './openvex.js'
import type { VexFormat } from './vex-format.js'

/** Every kind of VEX document that is read. */
export const vexFormats: readonly VexFormat[] = [
  csaf, //
  cyclonedxVex,
  openvex,
]
