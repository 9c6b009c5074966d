import { installation, isUidp, type Scope, type Uidp } from '../core/identity.js'
import { anonymousCaller, type Caller, type Grant } from '../iam/caller.js'
import { isRole, roles } from '../iam/capabilities.js'
import { narrow } from '../iam/decide.js'
import { rulesThatFit } from '../iam/mapped-roles.js'
import { hashSecret, isSameHash, secretPrefix } from '../iam/secrets.js'
import { badToken, looksSigned, type VerifiedToken, verifyToken } from '../iam/signed-token.js'
import type { IdentityRecord } from '../store/iam.js'
import { wrongAudience } from './audiences.js'
import type { AuthorityContext, Surface } from './authority.js'

/** Turns what somebody shows into who they are. Roles are read each time: one that is taken away ends at once. */
export interface Callers {
  /** @throws Fault `unauthenticated`, `wrong-audience` */
  ofToken(token: string, surface: Surface): Promise<Caller>
  /**
   * The holder of a secret that was given with a name: of a pull token or a service identity.
   * @throws Fault `unauthenticated`
   */
  ofPassword(uidp: Uidp, password: string): Promise<Caller>
  /** Whom a claim `sub` means; null for somebody who is gone. */
  ofSubject(subject: string): Promise<Caller | null>
  ofIdentity(identity: IdentityRecord): Promise<Caller>
}

/** What an unknown name is compared with, so that it takes as long as a wrong password. */
const nobody = hashSecret('')

/** See {@link Callers}. */
export function createCallers({ store, statics, signing, addresses, clock, oidc }: AuthorityContext): Callers {
  const isExpired = ({ expiresAt }: IdentityRecord) => expiresAt !== null && expiresAt <= clock.now()

  /** Null for an organization that is not there: the rule gives nothing then. */
  const scopeOf = async (group: string | undefined): Promise<Scope | null> => {
    if (group === undefined || group === installation) return installation
    return isUidp(group) ? group : ((await store.groups.findByName(group))?.uidp ?? null)
  }
  const ofIdentity = async (identity: IdentityRecord): Promise<Caller> => {
    const bindings = await store.roleBindings.list(identity.uidp)
    const grants = bindings.flatMap(({ scope, role }): Grant[] =>
      isRole(role) ? [{ scope, capabilities: new Set(roles[role]) }] : [],
    )
    const isOfProvider = identity.kind === 'user' && identity.issuer === oidc?.issuer
    for (const rule of isOfProvider ? rulesThatFit(oidc?.roles ?? [], identity.claims) : []) {
      const scope = await scopeOf(rule.group)
      if (scope !== null) grants.push({ scope, capabilities: new Set(roles[rule.role]) })
    }
    const reach = identity.repository === null ? null : [identity.repository]
    return {
      ...{ kind: 'identity', name: identity.uidp, identity: identity.uidp, access: null, token: null },
      grants: narrow(grants, { scopes: reach, capabilities: null }),
    }
  }
  const ofSubject = async (subject: string): Promise<Caller | null> => {
    if (subject === 'anonymous') return anonymousCaller()
    if (!isUidp(subject)) return statics.named(subject)
    const identity = await store.identities.find(subject)
    return identity === null || isExpired(identity) ? null : await ofIdentity(identity)
  }
  const ofSigned = async (token: string, surface: Surface): Promise<Caller> => {
    const verified = await verifyToken(token, {
      keyOf: (kid) => signing.keyOf(kid),
      issuer: addresses().issuer,
      now: clock.now(),
    })
    if (await store.tokens.isRevoked(verified.id)) throw badToken(new Error('revoked'))
    const wanted = addresses()[surface]
    if (!verified.audience.includes(wanted)) throw wrongAudience(wanted)
    const caller = await ofSubject(verified.subject)
    if (caller === null) throw badToken(new Error(`${verified.subject} is gone`))
    return shown(caller, verified)
  }
  const ofSecret = async (token: string): Promise<Caller> => {
    const hash = hashSecret(token)
    const identity = token.startsWith(secretPrefix) ? await store.identities.findByHash(hash) : null
    const isSame = isSameHash(identity?.secretHash ?? nobody, hash)
    // The password of a pull token is good with its name only, at the registry's token endpoint.
    if (identity === null || !isSame || identity.kind !== 'service') throw badToken(new Error('not known'))
    if (isExpired(identity)) throw badToken(new Error('expired'))
    return await ofIdentity(identity)
  }
  return {
    ofIdentity,
    ofSubject,
    async ofToken(token, surface) {
      const known = statics.find(token)
      if (known !== null) return known
      return looksSigned(token) ? await ofSigned(token, surface) : await ofSecret(token)
    },
    async ofPassword(uidp, password) {
      const identity = await store.identities.find(uidp)
      const isSame = isSameHash(identity?.secretHash ?? nobody, hashSecret(password))
      if (identity === null || !isSame) throw badToken(new Error('wrong name or password'))
      if (isExpired(identity)) throw badToken(new Error('expired'))
      return await ofIdentity(identity)
    },
  }
}

/** The caller as narrow as the token that it showed. */
function shown(caller: Caller, verified: VerifiedToken): Caller {
  const { id, audience, issuedAt, expiresAt, scopes, capabilities, access } = verified
  const token = { id, audience, issuedAt, expiresAt, scopes, capabilities }
  return { ...caller, access, token, grants: narrow(caller.grants, { scopes, capabilities }) }
}
