import { Fault, isFault, oneLine } from '../core/fault.js'
import { parseDuration } from '../core/time.js'
import { claimedIssuer, verifyIdToken } from '../iam/foreign-token.js'
import { fittingRules, verifiedEmail } from '../iam/mapped-roles.js'
import { hashSecret } from '../iam/secrets.js'
import type { OidcSettings } from '../iam/settings.js'
import { looksSigned } from '../iam/signed-token.js'
import type { IdentityRecord } from '../store/iam.js'
import { defaultOrganization } from '../store/migrate.js'
import type { AuthorityContext } from './authority.js'
import { withIssuerKeys } from './issuer-keys.js'

const defaultSessionMs = 86_400_000
const longestSessionMs = 30 * 86_400_000
const longestName = 100

/** How long a login at the provider lasts. @throws Fault `invalid-duration` */
export function sessionMsOf({ sessionLifetime }: OidcSettings): number {
  if (sessionLifetime === undefined) return defaultSessionMs
  const lifetimeMs = parseDuration(sessionLifetime)
  if (lifetimeMs >= 60_000 && lifetimeMs <= longestSessionMs) return lifetimeMs
  throw new Fault('invalid-duration', `auth.oidc.sessionLifetime lies between 1m and 30d: '${sessionLifetime}'`)
}

/** Whether a token says that it is of the provider where people sign in. Says nothing about its worth. */
export function isOfProvider(token: string, oidc: OidcSettings | null): oidc is OidcSettings {
  return oidc !== null && looksSigned(token) && claimedIssuer(token) === oidc.issuer
}

/**
 * The user whose ID token it is. Whoever signs in for the first time becomes one, with no role beside those of `auth.oidc.roles`;
 * what fits of these is noted anew each time.
 * @throws Fault `unauthenticated`; `forbidden` for somebody whom no rule fits, where only such may sign in; what asking the
 *   provider for its keys throws
 */
export async function signInUser(
  token: string,
  oidc: OidcSettings,
  context: Pick<AuthorityContext, 'store' | 'clock' | 'issuerKeys' | 'audit'>,
): Promise<IdentityRecord> {
  const { store, clock, audit } = context
  const { subject, claims } = await withIssuerKeys(await context.issuerKeys(), oidc.issuer, (keys) =>
    verifyIdToken(token, oidc, keys, clock.now()),
  )
  const fitting = fittingRules(oidc.roles ?? [], claims)
  if (oidc.onlyWithRole && Object.keys(fitting).length === 0) {
    throw new Fault('forbidden', `'${oneLine(subject)}' has no role here, and only those may sign in who have one`, {
      fix: 'Ask whoever runs this server: `auth.oidc.roles` of its configuration says who has one.',
    })
  }
  const known = await store.identities.findUser(oidc.issuer, subject)
  if (known !== null) {
    if (JSON.stringify(known.claims) !== JSON.stringify(fitting))
      await store.identities.update(known.uidp, { claims: fitting })
    return { ...known, claims: fitting }
  }
  const made = await makeUser(subject, nameOf(subject, claims), fitting, oidc, context)
  audit.record({ actor: made.uidp, action: 'user.create', target: made.name, outcome: 'granted', reason: '' })
  return made
}

async function makeUser(
  subject: string,
  name: string,
  claims: Record<string, string>,
  { issuer }: OidcSettings,
  { store }: Pick<AuthorityContext, 'store'>,
): Promise<IdentityRecord> {
  const group = await store.groups.findByName(defaultOrganization)
  if (group === null) throw new Fault('store-damaged', `the organization '${defaultOrganization}' is missing`)
  const user = {
    ...({ group: group.uidp, description: '', kind: 'user', issuer, subject, claims, audience: null } as const),
    ...{ secretHash: null, repository: null, expiresAt: null },
  }
  const mark = hashSecret(`${issuer} ${subject}`).toString('hex').slice(0, 8)
  for (const one of [name, `${name.slice(0, longestName - 9)} ${mark}`]) {
    try {
      return await store.identities.create({ ...user, name: one }, [])
    } catch (error) {
      if (!isFault(error, 'conflict')) throw error
      // Somebody signs in twice at once, or another issuer has somebody of that name.
      const meanwhile = await store.identities.findUser(issuer, subject)
      if (meanwhile !== null) return meanwhile
    }
  }
  throw new Fault('conflict', `there is another identity '${name}'`)
}

/** For people to read: nothing is decided by it. */
function nameOf(subject: string, claims: Readonly<Record<string, unknown>>): string {
  const { preferred_username: username } = claims
  const name = verifiedEmail(claims) ?? (typeof username === 'string' && username !== '' ? username : subject)
  return oneLine(name).slice(0, longestName)
}
