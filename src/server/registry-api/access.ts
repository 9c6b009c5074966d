import type { FastifyRequest } from 'fastify'
import { Fault, oneLine } from '../../core/fault.js'
import { parseRepository, type Repository } from '../../core/reference.js'
import type { Services } from '../../flows/open.js'
import type { Auth } from '../auth.js'

/** What is to be done to a repository: read what its registry holds, or what we remember of its tags. */
export type RegistryAction = 'pull' | 'history'

/** Who may read what of the registry that we serve. The rules are iam's; this is all that the routes know of them. */
export interface RegistryAccess {
  /** Whether somebody showed a good token, whatever it reaches: `docker login` asks this. @throws Fault `unauthenticated` */
  requireToken(request: FastifyRequest): Promise<void>
  /**
   * The upstream that `name` stands for, when the caller may do `action` to it: our credentials are used for nothing else.
   * @param namespace the host that a mirror's client asked for (`ns`), null when it did not say
   * @throws Fault `unauthenticated`, `forbidden`, `repository-not-found`, `invalid-reference`
   */
  open(request: FastifyRequest, name: string, namespace: string | null, action: RegistryAction): Promise<Repository>
  /** The names of all repositories that the caller may see, sorted. @throws Fault `unauthenticated`, `forbidden` */
  list(request: FastifyRequest): Promise<readonly string[]>
}

/**
 * The rule of a server with one organization: whoever may read histories reads all of them, and whoever may ask registries
 * reads, through us, those repositories of theirs that are watched. What is not watched is as unknown as what is not there.
 */
export function createRegistryAccess(services: Services, auth: Auth): RegistryAccess {
  return {
    async requireToken(request) {
      const caller = await auth.require(request, 'tag.list')
      if (caller.name === 'anonymous') throw new Fault('unauthenticated', 'a token is needed to read images')
    },
    async open(request, name, namespace, action) {
      await auth.require(request, action === 'pull' ? 'upstream.read' : 'tag.list')
      const repository = upstreamOf(name, namespace)
      if (action === 'history') return repository
      const { watches } = await services.store()
      if (await watches.isWatched(repository)) return repository
      throw unknown(name)
    },
    async list(request) {
      await auth.require(request, 'tag.list')
      const { watches } = await services.store()
      return (await watches.repositories()).map(nameOf).sort()
    },
  }
}

/**
 * `docker.io/library/nginx`, and `registry.example.com_5000/app` where the host has a port: a colon is not allowed in a name.
 * OCI distribution v1.1.1, "Pulling manifests".
 */
export function nameOf({ host, path }: Repository): string {
  return `${host.replace(/:(\d+)$/, '_$1')}/${path}`
}

/**
 * The repository that a name stands for: the inverse of {@link nameOf}. `library/nginx` is Docker Hub's, as its mirrors are asked.
 * @throws Fault `repository-not-found`, `invalid-reference`
 */
export function upstreamOf(name: string, namespace: string | null): Repository {
  if (namespace !== null) return parseRepository(`${namespace}/${name}`)
  const slash = name.indexOf('/')
  const first = slash < 0 ? name : name.slice(0, slash)
  if (first === 'library' && slash > 0) return parseRepository(`docker.io/${name}`)
  const host = first.replace(/_(\d{1,5})$/, ':$1')
  if (slash < 0 || !(host === 'localhost' || /[.:]/.test(host))) throw unknown(name)
  return parseRepository(`${host}${name.slice(slash)}`)
}

function unknown(name: string): Fault {
  return new Fault('repository-not-found', `there is no repository ${oneLine(name.slice(0, 255))} here`, {
    fix: 'See which there are in `/v2/_catalog`; one is read through here while one of its tags is watched.',
  })
}
