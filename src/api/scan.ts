import type { Explanation, ScanReport } from '../../client/src/index.js'
import { Fault } from '../core/fault.js'
import { explainImage, scanImage } from '../flows/scan-image.js'
import type { Operation } from './operation.js'
import { platformOf, requireReadable } from './packages.js'

/** What is known to affect an image. */
export const scan: Operation<'scan'> = {
  name: 'scan',
  summary: 'Which vulnerabilities the packages of an image are known to have',
  capability: 'upstream.read',
  async run({ source, platform, evidence }, context) {
    const { services, cost, signal, warn, onProgress, documents } = context
    requireReadable(source, context)
    const call = { cost, signal, warn, evidence, ...(onProgress && { onProgress }) }
    const body = await scanImage(
      { source, platform: platformOf(platform), isPlatformAsked: platform !== undefined },
      services,
      call,
      documents,
    )
    // The same document: the client's type is the one of core, without `readonly`.
    return { body: body as unknown as ScanReport }
  },
}

/** Why an image is, or is not, affected by one vulnerability. */
export const explain: Operation<'explain'> = {
  name: 'explain',
  summary: 'Why an image is, or is not, affected by a vulnerability: every record, and the rule that decided',
  capability: 'upstream.read',
  async run({ id, source, platform, evidence }, context) {
    const { services, cost, signal, warn, onProgress, documents } = context
    if (id.trim() === '') {
      throw new Fault('invalid-argument', 'no vulnerability is named', {
        fix: 'Give any name of it: CVE-2024-3094, GHSA-….',
      })
    }
    requireReadable(source, context)
    const call = { cost, signal, warn, evidence, ...(onProgress && { onProgress }) }
    const body = await explainImage(
      id,
      { source, platform: platformOf(platform), isPlatformAsked: platform !== undefined },
      services,
      call,
      documents,
    )
    return { body: body as unknown as Explanation }
  },
}
