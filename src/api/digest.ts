import { parsePlatform } from '../core/platform.js'
import { lookUpDigest } from '../flows/look-up-digest.js'
import type { Operation } from './operation.js'

/** What a reference points at now. */
export const digest: Operation<'digest'> = {
  name: 'digest',
  summary: 'The digest that a reference points at now',
  capability: 'upstream.read',
  async run({ reference, platform, omitPlatforms = false }, { services, cost, signal, warn }) {
    const question = {
      revision: reference,
      wantsPlatforms: !omitPlatforms,
      ...(platform !== undefined && { platform: parsePlatform(platform) }),
    }
    return { body: await lookUpDigest(question, services, { cost, signal, warn }) }
  },
}
