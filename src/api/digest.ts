import { Type } from 'typebox'
import { parsePlatform } from '../core/platform.js'
import { lookUpDigest } from '../flows/look-up-digest.js'
import { defineOperation } from './operation.js'
import { closed, digestResult, revision } from './schemas.js'

const input = Type.Object(
  {
    reference: revision,
    platform: Type.Optional(Type.String({ description: 'os/architecture[/variant]', examples: ['linux/amd64'] })),
    omitPlatforms: Type.Optional(
      Type.Boolean({ description: 'leave the platforms of an index out: one HEAD, and no GET that counts as a pull' }),
    ),
  },
  closed,
)

/** What a reference points at now. */
export const digest = defineOperation(
  {
    name: 'digest',
    summary: 'The digest that a reference points at now',
    capability: 'upstream.read',
    input,
    output: digestResult,
    async run({ reference, platform, omitPlatforms = false }, { services, cost, signal, warn }) {
      const question = {
        revision: reference,
        wantsPlatforms: !omitPlatforms,
        ...(platform !== undefined && { platform: parsePlatform(platform) }),
      }
      return { body: await lookUpDigest(question, services, { cost, signal, warn }) }
    },
  },
  true,
)
