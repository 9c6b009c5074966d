import type { Clock } from '../core/clock.js'
import { Fault, isFault } from '../core/fault.js'
import type { Uidp } from '../core/identity.js'
import { anonymousCaller, type Caller } from '../iam/caller.js'
import type { Capability } from '../iam/capabilities.js'
import { decide, type Resource, refusal } from '../iam/decide.js'
import type { OidcSettings } from '../iam/settings.js'
import { badToken } from '../iam/signed-token.js'
import type { StaticTokens } from '../iam/static-tokens.js'
import { defaultOrganization } from '../store/migrate.js'
import type { Store } from '../store/store.js'
import { type AuditLog, createAuditLog } from './audit-log.js'
import { createCallers } from './callers.js'
import { createExchange, type Exchange } from './exchange-token.js'
import { createIssuerKeys, type IssuerKeys, issuerUrl } from './issuer-keys.js'
import type { Services } from './open.js'
import { createRegistryTokens, type RegistryTokens } from './registry-token.js'
import { sessionMsOf } from './sign-in.js'
import { createSigning, type Signing } from './signing.js'

/** What our three surfaces are called: as clients write it, and as tokens do. */
export interface Addresses {
  /** The claim `iss`, and where the keys are: a URL without a slash at its end. */
  readonly issuer: string
  /** The audience of the platform and the native API: a URL without a slash at its end. */
  readonly platform: string
  /** The audience of the registry, and the `service` of its challenge: `HOST[:PORT]`. */
  readonly registry: string
}

/** Which surface a token is shown to. */
export type Surface = 'platform' | 'registry'

/**
 * The one authority of an installation: who somebody is, what they may do, and which tokens they get. Servers turn headers and
 * forms into its arguments, and its plain answers into their own bodies; no rule lives there.
 */
export interface Authority extends Exchange, RegistryTokens {
  readonly addresses: () => Addresses
  /**
   * Who sends `authorization`, a header as it came: the bearer of a token of ours for this surface, of the admin token, of one
   * that the configuration lists, or of the secret of a service identity. Without a header the anonymous caller. It may be
   * called for every request: one signature, two or three reads of the store.
   * @throws Fault `unauthenticated` ("failed to verify token") for whatever is no good token, `wrong-audience` for a good one of
   *   the other surface: 403 on a registry, code 16 and 401 on the platform
   */
  authenticate(authorization: string | undefined, surface: Surface): Promise<Caller>
  /**
   * Refuses, and writes down, what `caller` may not do.
   * @param where for the fault: what the role must be on, where the request does not say so
   * @throws Fault `unauthenticated` without a token, `forbidden` with one
   */
  authorize(caller: Caller, capability: Capability, resource: Resource, where?: string): void
  /** The provider where people sign in, as `auth.oidc` names it; null where there is none. */
  readonly provider: OidcSettings | null
  /** Writes down that something was done, or refused elsewhere. */
  granted(caller: Caller, action: string, target: string): void
  refused(caller: Caller, action: string, target: string): void
  /** The organization of all that nobody put elsewhere: what calls about a reference are authorized on. */
  defaultGroup(): Promise<Uidp>
  /** The JSON Web Key Set (RFC 7517) that our tokens are verified with. May be kept for an hour. */
  keySet(): Promise<{ readonly keys: readonly object[] }>
  /** The body of `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 3). */
  discovery(): Readonly<Record<string, unknown>>
  /** New signing keys at once. */
  rotateKeys(): Promise<void>
  /** Writes what of the audit log is still in memory. */
  writeAudit(): Promise<void>
  /** Writes the audit log; closes connections. */
  close(): Promise<void>
}

/** What the parts of an authority share. */
export interface AuthorityContext {
  readonly clock: Clock
  readonly store: Store
  readonly statics: StaticTokens
  readonly signing: Signing
  readonly audit: AuditLog
  readonly addresses: () => Addresses
  readonly oidc: OidcSettings | null
  readonly issuerKeys: () => Promise<IssuerKeys>
}

/** The addresses of a server that has one name for everything. */
export function addressesOf(url: string): Addresses {
  const bare = url.replace(/\/+$/, '')
  return { issuer: bare, platform: bare, registry: new URL(bare).host }
}

/** The addresses of a server that has a name for each surface, and TLS in front of it or of its own. Names are `HOST[:PORT]`. */
export function addressesOfNames(names: {
  readonly platform: string
  readonly issuer: string
  readonly registry: string
}): Addresses {
  return { issuer: `https://${names.issuer}`, platform: `https://${names.platform}`, registry: names.registry }
}

/** Makes the authority of one process. */
export async function createAuthority(
  services: Pick<Services, 'clock' | 'random' | 'environment' | 'config' | 'store'>,
  { statics, addresses }: { statics: StaticTokens; addresses: () => Addresses },
): Promise<Authority> {
  const { clock } = services
  const store = await services.store()
  const audit = createAuditLog(store.audit, clock)
  const oidc = (await services.config()).auth?.oidc ?? null
  if (oidc !== null) checkProvider(oidc)
  let issuerKeys: Promise<IssuerKeys> | undefined
  const context: AuthorityContext = {
    ...{ clock, store, statics, audit, addresses, oidc, signing: createSigning(store.tokens, clock) },
    issuerKeys: () => {
      issuerKeys ??= createIssuerKeys(services)
      return issuerKeys
    },
  }
  const callers = createCallers(context)
  const record = (outcome: 'granted' | 'refused', caller: Caller, action: string, target: string, reason = '') =>
    audit.record({ actor: caller.name, action, target, outcome, reason })
  let group: Promise<Uidp> | undefined
  return {
    ...createExchange(context, callers),
    ...createRegistryTokens(context, callers),
    addresses,
    provider: oidc,
    async authenticate(authorization, surface) {
      if (authorization === undefined) return anonymousCaller()
      try {
        return await callers.ofToken(bearerOf(authorization), surface)
      } catch (error) {
        if (isFault(error, 'unauthenticated', 'wrong-audience')) {
          record('refused', anonymousCaller(), 'authenticate', surface, reasonOf(error))
        }
        throw error
      }
    },
    authorize(caller, capability, resource, where) {
      const decision = decide(caller, capability, resource)
      if (decision.isAllowed) return
      record('refused', caller, capability, resource.name ?? resource.scope, decision.reason)
      throw refusal(caller, capability, where)
    },
    granted: (caller, action, target) => record('granted', caller, action, target),
    refused: (caller, action, target) => record('refused', caller, action, target),
    defaultGroup() {
      group ??= findDefault(store)
      return group
    },
    async keySet() {
      return { keys: (await context.signing.all()).map(({ publicJwk }) => publicJwk) }
    },
    discovery: () => discoveryOf(addresses().issuer),
    rotateKeys: () => context.signing.rotate(),
    writeAudit: () => audit.flush(),
    async close() {
      await audit.flush()
      if (issuerKeys !== undefined) (await issuerKeys).close()
    },
  }
}

/** What a schema cannot see is told at the start, not at the first login. @throws Fault `invalid-config` */
function checkProvider(oidc: OidcSettings): void {
  try {
    issuerUrl(oidc.issuer)
    sessionMsOf(oidc)
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Fault('invalid-config', `auth.oidc: ${cause.message}`, { cause, fix: cause.fix })
  }
}

/** @throws Fault `unauthenticated` */
function bearerOf(authorization: string): string {
  const token = /^bearer +([^\s]+)$/i.exec(authorization)?.[1]
  if (token === undefined) throw badToken(new Error('the Authorization header is not `Bearer TOKEN`'))
  return token
}

/** Why a token was bad, for the audit log: from our own check, not from the token. */
function reasonOf(fault: Fault): string {
  return fault.cause instanceof Error ? fault.cause.message.slice(0, 200) : fault.code
}

async function findDefault(store: Store): Promise<Uidp> {
  const group = await store.groups.findByName(defaultOrganization)
  if (group === null) throw new Fault('store-damaged', `the organization '${defaultOrganization}' is missing`)
  return group.uidp
}

function discoveryOf(issuer: string): Readonly<Record<string, unknown>> {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    token_endpoint: `${issuer}/sts/exchange`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['EdDSA'],
    claims_supported: ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'act'],
  }
}
