import type { FastifyRequest } from 'fastify'
import { Fault, isFault, oneLine } from '../../core/fault.js'
import type { Repository } from '../../core/reference.js'
import type { Authority } from '../../flows/authority.js'
import type { Services } from '../../flows/open.js'
import { anonymousCaller, type Caller } from '../../iam/caller.js'
import { decide, repositoryResource } from '../../iam/decide.js'
import { openOnLoopback } from '../../iam/static-tokens.js'
import type { AuthOptions } from '../auth.js'
import { requireLoopbackName } from '../host-of.js'
import { canonicalName, nameOnWire } from './name.js'

/** What is to be done to a repository: read what its registry holds, or what we remember of its tags. */
export type RegistryAction = 'pull' | 'history'

/** Who may read what of the registry that we serve. The rules are iam's; this is all that the routes know of them. */
export interface RegistryAccess {
  readonly authority: Authority
  /** Whether somebody showed a good token, whatever it reaches: `docker login` asks this. @throws Fault `unauthenticated` */
  requireToken(request: FastifyRequest): Promise<void>
  /**
   * The upstream that `name` stands for, when the caller may do `action` to it: our credentials are used for nothing else.
   * @param namespace the host that a mirror's client asked for (`ns`), null when it did not say
   * @throws Fault `unauthenticated`, `forbidden`, `wrong-audience`, `not-found`, `repository-not-found`, `invalid-reference`
   */
  open(request: FastifyRequest, name: string, namespace: string | null, action: RegistryAction): Promise<Repository>
  /** The names of all repositories that the caller may see, sorted. @throws Fault `unauthenticated`, `wrong-audience` */
  list(request: FastifyRequest): Promise<readonly string[]>
}

const capabilityOf = { pull: 'repo.blobs.get', history: 'tag.list' } as const

/** See {@link RegistryAccess}. */
export function createRegistryAccess(services: Services, options: AuthOptions): RegistryAccess {
  const { authority, isLoopback, isOpen } = options
  const open = anonymousCaller(isOpen ? openOnLoopback : [])
  const callerOf = async (request: FastifyRequest): Promise<Caller> => {
    const caller = await authority.authenticate(request.headers.authorization, 'registry')
    if (caller.kind !== 'anonymous' || caller.token !== null) return caller
    if (isLoopback) requireLoopbackName(request)
    return open
  }
  return {
    authority,
    async requireToken(request) {
      const caller = await callerOf(request)
      if (caller === open) throw new Fault('unauthenticated', 'a token is needed to read images')
    },
    async open(request, name, namespace, action) {
      const caller = await callerOf(request)
      try {
        const canonical = canonicalName(name, namespace)
        const { upstream, record } = await authority.requireRepository(caller, canonical, capabilityOf[action])
        if (record !== null || action === 'pull') return upstream
        throw new Fault(
          'repository-not-found',
          `there is no history of ${oneLine(canonical)}: none of its tags is watched`,
        )
      } catch (error) {
        if (caller.access === null || !isFault(error, 'forbidden')) throw error
        // Another token would reach it: clients get one when they are told so, containers/image in these very words only.
        const data = { challenge: 'insufficient_scope' }
        throw new Fault('unauthenticated', error.message, { cause: error, fix: error.fix, data })
      }
    },
    async list(request) {
      const known = await callerOf(request)
      // Open on loopback are histories of names that one knows: a list shows nobody in particular what is public.
      const caller = known === open ? anonymousCaller() : known
      const { repositories } = await services.store()
      const all = await repositories.list()
      const visible = all.filter((record) => decide(caller, 'repo.list', repositoryResource(record)).isAllowed)
      if (known === open && visible.length === 0) throw new Fault('unauthenticated', 'a token is needed for the list')
      return visible.map(({ fullName }) => nameOnWire(fullName)).sort()
    },
  }
}
