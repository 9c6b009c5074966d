import { Type } from 'typebox'
import { parseDigest } from '../core/digest.js'
import { parseTagReference } from '../core/reference.js'
import { checkDigests } from '../flows/check-digest.js'
import { refuseMoment } from '../flows/refuse-moment.js'
import { defineOperation } from './operation.js'
import { checkReport, closed, digest, reference } from './schemas.js'

const input = Type.Object(
  { reference: Type.Array(reference, { minItems: 1, maxItems: 10_000 }), since: Type.Optional(digest) },
  closed,
)

/** Whether tags moved since they were last checked. */
export const check = defineOperation(
  {
    name: 'check',
    summary: 'Whether tags moved since the last check, or since a digest',
    capability: 'check.run',
    input,
    output: checkReport,
    async run({ reference: references, since }, { services, cost, signal, warn, onProgress }) {
      const parsed = references.map((text) => {
        refuseMoment(text)
        return parseTagReference(text)
      })
      const question = { references: parsed, ...(since !== undefined && { since: parseDigest(since) }) }
      const results = await checkDigests(question, services, { cost, signal, warn, ...(onProgress && { onProgress }) })
      return { body: { results } }
    },
  },
  true,
)
