import { Fault, isFault, oneLine } from '../core/fault.js'
import { formatRepository } from '../core/reference.js'
import { redactUrl } from '../core/secret.js'
import { formatDuration } from '../core/time.js'
import type { AuthScheme } from '../registry/challenge.js'
import type { FoundCredential } from '../registry/credentials/list.js'
import type { Ping, Target } from '../registry/examine.js'
import type { Call } from '../registry/request.js'
import type { TokenLifetime } from '../registry/token.js'
import { type Examination, type Finding, type Found, failure } from './doctor-step.js'

/** Whether the host knows us, and as whom. What it answers to the first question serves quota and clock too. */
export async function examineAuth(examination: Examination, call: Call): Promise<Finding<'auth'>> {
  const { target, examiner } = examination
  const ping = await examiner.ping(target.host, call)
  examination.ping = ping
  if (target.reference === null) requireRegistry(ping, target)
  const who = await examiner.credential(target, call.signal)
  try {
    const token = await examiner.authenticate(target, who.credential, call)
    const auth = examiner.authOf(target.host)
    return { ...accepted(target, auth, who, token), found: foundOf(auth, who, token) }
  } catch (error) {
    const auth = examiner.authOf(target.host)
    if (isFault(error, 'denied')) return failure(refused(error, target, who, auth), foundOf(auth, who, null))
    // What was found out until then is still worth telling.
    if (isFault(error) && !isFault(error, 'cancelled', 'internal')) return failure(error, foundOf(auth, who, null))
    throw error
  }
}

/** @throws Fault for an answer that only something else than a registry gives */
function requireRegistry({ status, origin }: Ping, { host }: Target): void {
  if (status === 200 || status === 401) return
  if (status === 429) throw new Fault('rate-limited', `${host} refuses more requests for now`)
  if (status === 403)
    throw new Fault('denied', `${host} denies access to /v2/ (403): it is not for this network, or for nobody`)
  throw new Fault('broken-answer', `${origin}/v2/ answers ${status}, and not as a registry does`)
}

function accepted(target: Target, auth: AuthScheme | null, who: FoundCredential, token: TokenLifetime | null) {
  const isForNobody = who.credential.kind === 'anonymous'
  const parts = [challengeText(auth), whoText(who)]
  if (token !== null) {
    const life = formatDuration(token.lifetimeMs)
    const lasts = token.isTold ? `good for ${life}` : `which does not say how long it lasts (${life} is assumed)`
    const what = target.reference === null ? 'no repository' : target.reference.path
    parts.push(`a token for ${what}, ${lasts}`)
  }
  if (target.reference === null && auth !== null && auth.kind !== 'none' && isForNobody) {
    parts.push('whether nobody may read a repository, a reference tells')
  }
  return { status: 'ok', message: parts.join('; ') } as const
}

function challengeText(auth: AuthScheme | null): string {
  if (auth === null || auth.kind === 'none') return 'nothing is asked for'
  if (auth.kind === 'basic') return 'Basic is asked for'
  const service = auth.service === null ? '' : `, service ${oneLine(auth.service)}`
  return `Bearer is asked for, from ${redactUrl(auth.realm)}${service}`
}

const kinds = {
  anonymous: 'nobody',
  password: 'a password',
  'identity-token': 'an identity token',
  'registry-token': 'a token to send as Bearer',
} as const

function whoText({ credential, source }: FoundCredential): string {
  if (credential.kind === 'anonymous') {
    return source === null ? 'we come as nobody: no credentials were found' : `we come as nobody, as ${source} says`
  }
  const user = credential.kind === 'password' ? ` of ${oneLine(credential.username)}` : ''
  return `${kinds[credential.kind]}${user} from ${source}`
}

/** A refusal of who we are, or of nobody, or of what we may see. */
function refused(fault: Fault, target: Target, who: FoundCredential, auth: AuthScheme | null) {
  const { host, reference } = target
  const message = `${fault.message}; ${whoText(who)}`
  if (who.credential.kind === 'anonymous') {
    const fix =
      who.source === null
        ? `Log in with \`docker login ${host}\`, or set registries.${host}.username and passwordFile in tidemark.yaml; for what is public, check the spelling.`
        : `Take anonymous: true of registries.${host} out of tidemark.yaml, and log in.`
    return { code: fault.code, message, fix }
  }
  // With a token in hand the registry knows who we are: then it is the repository that is not for us.
  const isKnown = auth?.kind === 'bearer' && fault.data.status !== undefined && who.credential.kind !== 'registry-token'
  if (isKnown && reference !== null) {
    const name = formatRepository(reference)
    const fix = `Have whoever owns ${name} let this user pull from it; check the spelling too, for registries hide that nothing is there.`
    return { code: fault.code, message: `the token is good, and ${message}`, fix }
  }
  return { code: fault.code, message, fix: mend(host, who.source) }
}

function mend(host: string, source: string | null): string {
  switch (source) {
    case 'tidemark.yaml':
      return `Mend registries.${host} in tidemark.yaml: username and passwordFile, or tokenFile.`
    case 'TIDEMARK_REGISTRY':
      return 'Mend TIDEMARK_REGISTRY_USER and TIDEMARK_REGISTRY_PASSWORD, or TIDEMARK_REGISTRY_TOKEN.'
    case 'docker and podman configuration':
      return `Log in anew with \`docker login ${host}\`.`
    case 'netrc':
      return `Mend the machine ${host} in netrc.`
    default:
      return `Mend what ${source} gives; docs/registries.md says what each source needs.`
  }
}

function foundOf(
  auth: AuthScheme | null,
  { credential, source }: FoundCredential,
  token: TokenLifetime | null,
): Found<'auth'> {
  const isBearer = auth?.kind === 'bearer'
  return {
    challenge: auth?.kind ?? null,
    realm: isBearer ? redactUrl(auth.realm) : null,
    service: isBearer && auth.service !== null ? oneLine(auth.service) : null,
    credential: {
      kind: credential.kind,
      source,
      username: credential.kind === 'password' ? oneLine(credential.username) : null,
    },
    token,
  }
}
