import { matchesClaim } from './foreign-token.js'
import type { OidcSettings } from './settings.js'

/** One of `auth.oidc.roles`. */
export type MappedRole = NonNullable<OidcSettings['roles']>[number]

/**
 * Which rules fit what the provider says of somebody, as it is kept with them: rule texts, each with `yes`. The rules themselves
 * stay in the configuration: one that is taken out ends with the next start.
 * @param claims of a verified ID token
 */
export function fittingRules(
  rules: readonly MappedRole[],
  claims: Readonly<Record<string, unknown>>,
): Record<string, string> {
  return Object.fromEntries(rules.filter((rule) => fits(rule, claims)).map((rule) => [textOf(rule), 'yes']))
}

/** The rules that fitted when somebody signed in, and are still there. */
export function rulesThatFit(rules: readonly MappedRole[], kept: Readonly<Record<string, string>>): MappedRole[] {
  return rules.filter((rule) => Object.hasOwn(kept, textOf(rule)))
}

/**
 * Their e-mail address in lower case, where the provider says that it is theirs: anybody may type any address into a form.
 * OpenID Connect Core 1.0 section 5.1.
 */
export function verifiedEmail({ email, email_verified: isVerified }: Readonly<Record<string, unknown>>): string | null {
  if (isVerified !== true || typeof email !== 'string') return null
  return /^[^\s@]{1,64}@[^\s@]{1,190}$/.test(email) ? email.toLowerCase() : null
}

function fits(rule: MappedRole, claims: Readonly<Record<string, unknown>>): boolean {
  if ('emailDomain' in rule) return verifiedEmail(claims)?.endsWith(`@${rule.emailDomain}`) === true
  return Object.hasOwn(claims, rule.claim) && matchesClaim(rule.value, claims[rule.claim])
}

/** What fitted, without the role that it gives. */
function textOf(rule: MappedRole): string {
  return 'emailDomain' in rule ? `e-mail @${rule.emailDomain}` : `claim ${rule.claim} ${rule.value}`
}
