import { Fault, isFault } from '../core/fault.js'
import { parseRepository, type Repository } from '../core/reference.js'
import type { Services } from './open.js'

/**
 * The upstream of a reference to our own registry, `HOST[:PORT]/ORG/NAME`: what is known of its tags belongs there, and a server does
 * not ask itself. Any other reference stays as it is.
 * @throws Fault `not-found` for a name that is bound to nothing
 */
export async function upstreamOf<Reference extends Repository>(
  reference: Reference,
  services: Pick<Services, 'ownRegistry' | 'store'>,
): Promise<Reference> {
  if (reference.host !== services.ownRegistry()) return reference
  const { repositories } = await services.store()
  const record = await repositories.findByName(reference.path)
  const upstream = record?.upstream ?? nameOfUpstream(reference.path)
  if (upstream !== null) return { ...reference, ...upstream }
  throw new Fault('not-found', `there is no repository ${reference.path} on this server`)
}

/** In `default` a repository has the name of its upstream; a path holds no colon, so that a port follows an underscore. */
function nameOfUpstream(path: string): Repository | null {
  const [first = '', ...rest] = path.split('/')
  if (rest.length === 0 || !/\.|^localhost(?:_|$)/.test(first)) return null
  try {
    return parseRepository([first.replace(/_(\d{1,5})$/, ':$1'), ...rest].join('/'))
  } catch (error) {
    if (isFault(error, 'invalid-reference')) return null
    throw error
  }
}
