import { formatRepository, parseRepository } from '../core/reference.js'
import { upstreamOf } from '../flows/own-reference.js'
import type { Operation } from './operation.js'

/** Tags that cosign and the referrers tag schema make: they follow digests and never move by themselves. */
const digestTag = /^sha256-[0-9a-f]{64}(?:\.[a-z0-9]+)?$|^sha512-[0-9a-f]{80,128}(?:\.[a-z0-9]+)?$/

/** The tags of a repository. */
export const tags: Operation<'tags'> = {
  name: 'tags',
  summary: 'The tags of a repository',
  capability: 'upstream.read',
  async run({ repository: text, omitDigestTags = false }, { services, cost, signal, onPage }) {
    const parsed = await upstreamOf(parseRepository(text), services)
    const registry = await services.registry()
    const found: string[] = []
    for await (const page of registry.tags(parsed, { cost, signal })) {
      const shown = omitDigestTags ? page.filter((tag) => !digestTag.test(tag)) : page
      if (onPage === undefined) found.push(...shown)
      else await onPage(shown)
    }
    return { body: { repository: formatRepository(parsed), tags: found } }
  },
}
