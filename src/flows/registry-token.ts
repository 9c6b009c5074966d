import { Fault, isFault } from '../core/fault.js'
import { installation, isUidp } from '../core/identity.js'
import { parseRepository, type Repository } from '../core/reference.js'
import { anonymousCaller, type Caller, type RegistryAccess } from '../iam/caller.js'
import type { Capability } from '../iam/capabilities.js'
import { type Decision, decide, mayAnywhere, type Resource, refusal, repositoryResource } from '../iam/decide.js'
import { parseRegistryScopes } from '../iam/registry-scope.js'
import { badToken, signToken, whole } from '../iam/signed-token.js'
import type { RepositoryRecord } from '../store/iam.js'
import { defaultOrganization } from '../store/migrate.js'
import type { AuthorityContext } from './authority.js'
import type { Callers } from './callers.js'

/** Registry tokens are asked for with each pull: a short life costs nothing. */
export const registryTokenLifetimeMs = 10 * 60_000

/** What came to a registry's token endpoint: query of a GET, or form of a POST, and the header. */
export interface RegistryTokenRequest {
  /** The header `Authorization`: Basic (`_token` and any token of ours; a pull token's id and password), Bearer, or none. */
  readonly authorization?: string | undefined
  /** Of a POST: `username` and `password`; or `_token` and the `refresh_token`. They go before the header. */
  readonly credentials?: { readonly username: string; readonly password: string } | undefined
  readonly service?: string | undefined
  /** Each `scope` parameter. */
  readonly scopes: readonly string[]
}

/** The body of the token endpoint (distribution v3, "Token Authentication Specification"). */
export interface RegistryTokenAnswer {
  readonly token: string
  /** The same again: OAuth2 clients read it under this name. */
  readonly access_token: string
  /** Seconds. */
  readonly expires_in: number
  /** RFC 3339. */
  readonly issued_at: string
}

/** A repository that a caller may use. */
export interface ReadableRepository {
  /** What to ask for its content, with our credentials: only now that the caller is known to be let in. */
  readonly upstream: Repository
  /** Null for one that nobody bound or watched: the caller named the upstream, and may. */
  readonly record: RepositoryRecord | null
  readonly resource: Resource
}

/** The logic of a registry's door. */
export interface RegistryTokens {
  /**
   * A token for the asked repositories, or for those of them that the caller may pull from. Without credentials only what is
   * public, to pull, and the token reaches just these repositories. Nothing but `pull` is ever granted. Without a scope it
   * answers who logs in: a token that reaches nothing.
   * @throws Fault `unauthenticated` for bad credentials, and for an anonymous caller who gets nothing of what was asked;
   *   `forbidden` for a known one, or `not-found` as {@link RegistryTokens.requireRepository}; `wrong-audience`; `invalid-argument` for another service or a scope that is none
   */
  registryToken(request: RegistryTokenRequest): Promise<RegistryTokenAnswer>
  /**
   * The repository of that name on our registry, for a caller who may do what needs `capability` to it. Beside `ORG/NAME` that is
   * `<upstream host>/<path>`, in `default`: for whoever may read what is watched there, and whoever may read any upstream.
   * @throws Fault `unauthenticated` or `forbidden`, also where there is no such repository: strangers learn nothing;
   *   `not-found` for whoever may read all of the organization, or of the installation where there is no such organization
   */
  requireRepository(caller: Caller, name: string, capability: Capability): Promise<ReadableRepository>
}

/** See {@link RegistryTokens}. */
export function createRegistryTokens(context: AuthorityContext, callers: Callers): RegistryTokens {
  const { clock, store, signing, audit, addresses } = context

  const find = async (name: string): Promise<ReadableRepository | null> => {
    const record = await store.repositories.findByName(name)
    if (record !== null) {
      return { upstream: record.upstream, record, resource: repositoryResource(record) }
    }
    const group = await store.groups.findByName(defaultOrganization)
    const upstream = upstreamOf(name)
    if (group === null || upstream === null) return null
    return { upstream, record: null, resource: { scope: group.uidp, name } }
  }
  const decideOn = (caller: Caller, capability: Capability, found: ReadableRepository): [Decision, Capability] => {
    const decision = decide(caller, capability, found.resource)
    if (!decision.isAllowed || found.record !== null) return [decision, capability]
    // Nobody said that this upstream may be read through us: that takes the right to spend our credentials on anything.
    return [decide({ ...caller, access: null }, 'upstream.read', found.resource), 'upstream.read']
  }
  const open = async (caller: Caller, name: string, capability: Capability): Promise<Opened> => {
    const found = await find(name)
    if (found !== null) {
      const [decision, needed] = decideOn(caller, capability, found)
      if (decision.isAllowed) return { found }
      return { fault: refusal(caller, needed), reason: decision.reason }
    }
    const group = await store.groups.findByName(name.split('/')[0] ?? '')
    const maySee = decide(caller, capability, { scope: group?.uidp ?? installation, name }).isAllowed
    const fault = maySee ? new Fault('not-found', `there is no repository ${name}`) : refusal(caller, capability)
    return { fault, reason: 'no such repository' }
  }
  const callerOf = async ({ authorization, credentials }: RegistryTokenRequest): Promise<Caller> => {
    const shown = credentials ?? basicOf(authorization)
    if (shown !== null) {
      return isUidp(shown.username)
        ? await callers.ofPassword(shown.username, shown.password)
        : await callers.ofToken(shown.password, 'registry')
    }
    if (authorization === undefined) return anonymousCaller()
    const token = /^bearer +([^\s]+)$/i.exec(authorization)?.[1]
    if (token === undefined) throw badToken(new Error('neither Basic nor Bearer'))
    return await callers.ofToken(token, 'registry')
  }
  const grantsOf = async (caller: Caller, asked: readonly RegistryAccess[]) => {
    const access: RegistryAccess[] = []
    let fault: Fault | null = null
    for (const { type, name, actions } of asked) {
      if (type === 'registry') {
        const isMember = caller.access === null && mayAnywhere(caller, 'repo.list')
        if (name === 'catalog' && isMember) access.push({ type, name, actions: ['*'] })
        continue
      }
      if (!actions.includes('pull') && !actions.includes('*')) continue
      const opened = await open(caller, name, 'repo.blobs.get')
      if (opened.fault === undefined) access.push({ type, name, actions: ['pull'] })
      else fault ??= opened.fault
    }
    return { access, fault: fault ?? refusal(caller, 'repo.blobs.get') }
  }
  const refuse = (caller: Caller, target: string, fault: Fault): never => {
    const reason = fault.cause instanceof Error ? fault.cause.message.slice(0, 200) : fault.code
    audit.record({ actor: caller.name, action: 'registry-token', target, outcome: 'refused', reason })
    throw fault
  }

  return {
    async registryToken(request) {
      const { issuer, registry } = addresses()
      if (request.service !== undefined && request.service !== '' && request.service !== registry) {
        throw new Fault('invalid-argument', `no tokens are made for the service '${request.service.slice(0, 100)}'`, {
          fix: `Ask for the service ${registry}.`,
        })
      }
      const asked = parseRegistryScopes(request.scopes)
      const target = asked.map(({ name }) => name).join(' ')
      const caller = await callerOf(request).catch((error: unknown) => {
        if (isFault(error, 'unauthenticated', 'wrong-audience')) return refuse(anonymousCaller(), target, error)
        throw error
      })
      const { access, fault } = await grantsOf(caller, asked)
      if (asked.length > 0 && access.length === 0) return refuse(caller, target, fault)
      const left = (caller.token?.expiresAt ?? Number.POSITIVE_INFINITY) - clock.now()
      const narrowing = caller.token ?? whole
      const signed = await signToken(
        {
          ...{ subject: caller.name, audience: [registry], access, actor: null },
          ...{ scopes: narrowing.scopes, capabilities: narrowing.capabilities },
        },
        { key: await signing.current(), issuer, now: clock.now(), lifetimeMs: Math.min(registryTokenLifetimeMs, left) },
      )
      audit.record({ actor: caller.name, action: 'registry-token', target, outcome: 'granted', reason: '' })
      return {
        token: signed.token,
        access_token: signed.token,
        expires_in: Math.floor((signed.expiresAt - signed.issuedAt) / 1000),
        issued_at: new Date(signed.issuedAt).toISOString(),
      }
    },
    async requireRepository(caller, name, capability) {
      const opened = await open(caller, name, capability)
      if (opened.fault === undefined) return opened.found
      const { fault, reason } = opened
      if (fault.code !== 'not-found')
        audit.record({ actor: caller.name, action: capability, target: name, outcome: 'refused', reason })
      throw fault
    },
  }
}

/** What {@link RegistryTokens.requireRepository} gives or throws; `reason` is for the audit log alone. */
type Opened =
  | { readonly found: ReadableRepository; readonly fault?: undefined }
  | { readonly fault: Fault; readonly reason: string }

/** `docker.io/library/nginx`; null for a name that begins with no host. */
function upstreamOf(name: string): Repository | null {
  const [first = '', ...rest] = name.split('/')
  // A host alone names nothing there, though Docker Hub has short names.
  if (rest.length === 0) return null
  if (!/[.:]/.test(first) && first !== 'localhost') return null
  try {
    return parseRepository(name)
  } catch (error) {
    if (isFault(error)) return null
    throw error
  }
}

/** RFC 7617; null for another scheme. @throws Fault `unauthenticated` */
function basicOf(authorization: string | undefined): { username: string; password: string } | null {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined) return null
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) throw badToken(new Error('Basic without a colon'))
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
