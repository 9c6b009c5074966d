import { parseDigest } from '../core/digest.js'
import { parseTagReference } from '../core/reference.js'
import { checkDigests } from '../flows/check-digest.js'
import { upstreamOf } from '../flows/own-reference.js'
import { refuseMoment } from '../flows/refuse-moment.js'
import type { Operation } from './operation.js'

/** Whether tags moved since they were last checked. */
export const check: Operation<'check'> = {
  name: 'check',
  summary: 'Whether tags moved since the last check, or since a digest',
  capability: 'check.run',
  async run({ reference: references, since, once }, { services, cost, signal, warn, onProgress }) {
    for (const text of references) refuseMoment(text)
    const named = references.map(parseTagReference)
    const parsed = await Promise.all(named.map((reference) => upstreamOf(reference, services)))
    const question = { references: parsed, once, ...(since !== undefined && { since: parseDigest(since) }) }
    const results = await checkDigests(question, services, { cost, signal, warn, ...(onProgress && { onProgress }) })
    return { body: { results } }
  },
}
