/** One challenge of a `WWW-Authenticate` header: RFC 9110 section 11.6.1. */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string
  /** Keys in lower case. */
  readonly parameters: ReadonlyMap<string, string>
}

/** A challenge header beyond this many characters is cut: no registry sends one. */
const longest = 8_192

/**
 * Reads all challenges of a header, which may hold several, comma-joined, in any case, with quoted strings that contain
 * commas and escapes. What cannot be read ends the list: half a challenge is none.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  let rest = header.slice(0, longest)
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const match = pattern.exec(rest)
    if (match !== null) rest = rest.slice(match[0].length)
    return match
  }
  for (;;) {
    take(/^[\s,]+/)
    const parameter = take(/^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"=]+)(?=\s*(?:,|$)))/)
    if (parameter !== null) {
      const [, key = '', quoted, bare = ''] = parameter
      const value = quoted === undefined ? bare : quoted.replace(/\\(.)/g, '$1')
      challenges.at(-1)?.parameters.set(key.toLowerCase(), value)
      continue
    }
    const scheme = take(/^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?=\s|,|$)/)
    if (scheme === null) return challenges
    challenges.push({ scheme: (scheme[1] as string).toLowerCase(), parameters: new Map() })
    // A token68 (as Negotiate has) says nothing to us.
    take(/^\s+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/)
  }
}

/** How a host wants to be authenticated to. */
export type AuthScheme =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | null }

/**
 * The challenge that we answer: Bearer where it is offered, else Basic; null when neither is.
 * @param requestUrl against which a relative realm is read
 */
export function chooseScheme(header: string, requestUrl: URL): AuthScheme | null {
  const challenges = parseChallenges(header)
  const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'))
  const realm = bearer?.parameters.get('realm')
  if (realm !== undefined && URL.canParse(realm, requestUrl.href)) {
    return { kind: 'bearer', realm: new URL(realm, requestUrl), service: bearer?.parameters.get('service') ?? null }
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { kind: 'basic' } : null
}
