import { Fault } from '../../core/fault.js'
import type { Host } from '../../core/host.js'
import { type EcrHost, parseEcrHost } from '../kind.js'
import { findKeys } from './aws/keys.js'
import { readProfiles } from './aws/profile.js'
import { callAws, namedEndpoint } from './aws/request.js'
import { type CredentialContext, type CredentialPlugin, passwordCredential } from './credential.js'
import { readObject, readTime, requireText } from './question.js'
import { type FetchedCredential, Renewal } from './renewal.js'
import { requireUrl } from './secret-file.js'

/**
 * Amazon ECR, private and public: a password of twelve hours by GetAuthorizationToken (API versions 2015-09-21 of `ecr`,
 * 2020-10-30 of `ecr-public`), with the keys that AWS's own programs would use. One password is for a whole region.
 */
export const ecrCredentials: CredentialPlugin = {
  name: 'Amazon ECR',
  open(context) {
    const renewal = new Renewal(context.clock)
    return {
      async find({ host }, signal) {
        const kind = context.kindOf(host)
        if (kind !== 'ecr' && kind !== 'ecr-public') return null
        const service = kind === 'ecr' ? await ecrService(host, context) : ecrPublicService(host, context)
        return await renewal.get(keyOf(service), (flight) => fetchPassword(service, context, flight), signal)
      },
    }
  },
}

/** The API of ECR, or of ECR Public, that knows of a host. */
export interface EcrService {
  readonly url: URL
  readonly name: 'ecr' | 'ecr-public'
  /** Before the dot of `x-amz-target`. */
  readonly target: string
  readonly region: string
  /** Of STS in the same partition. */
  readonly suffix: string
  readonly isAmbient: boolean
}

/** Of a private registry. @throws Fault `invalid-config` where neither name nor environment tells the region */
export async function ecrService(host: Host, context: CredentialContext): Promise<EcrService> {
  const named = parseEcrHost(host)
  const region = named?.region ?? (await defaultRegion(host, context))
  const endpoint = context.settingsOf(host).apiUrl ?? namedEndpoint('ECR', context.environment)
  const place = named ?? {
    region,
    isFips: false,
    suffix: region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com',
  }
  return {
    url: requireUrl(endpoint ?? `https://${apiHost(place)}`, 'the endpoint of ECR'),
    ...{ name: 'ecr', target: 'AmazonEC2ContainerRegistry_V20150921', region },
    suffix: stsSuffixes[place.suffix] ?? place.suffix,
    isAmbient: true,
  }
}

/** One endpoint of the environment may stand for all services and regions. */
function keyOf({ name, region, url }: EcrService): string {
  return `${name} ${region} ${url.href}`
}

/** Dual-stack names of registries end otherwise than those of the API. */
function apiHost({ region, isFips, suffix }: EcrHost): string {
  const dual = dualSuffixes[suffix]
  if (dual !== undefined) return `ecr${isFips ? '-fips' : ''}.${region}.${dual}`
  return `${isFips ? 'ecr-fips' : 'api.ecr'}.${region}.${suffix}`
}

const dualSuffixes: Readonly<Record<string, string>> = {
  'on.aws': 'api.aws',
  'on.amazonwebservices.com.cn': 'api.amazonwebservices.com.cn',
}
const stsSuffixes: Readonly<Record<string, string>> = {
  'on.aws': 'amazonaws.com',
  'on.amazonwebservices.com.cn': 'amazonaws.com.cn',
}

/** Of public.ecr.aws. @throws Fault `invalid-config` */
export function ecrPublicService(host: Host, context: CredentialContext): EcrService {
  // The only region that has this call.
  const region = 'us-east-1'
  const endpoint = context.settingsOf(host).apiUrl ?? namedEndpoint('ECR_PUBLIC', context.environment)
  return {
    url: requireUrl(endpoint ?? `https://api.ecr-public.${region}.amazonaws.com`, 'the endpoint of ECR Public'),
    ...{ name: 'ecr-public', target: 'SpencerFrontendService', region, suffix: 'amazonaws.com' },
    // It is open to all: an instance's role that may not log in there must not close it.
    isAmbient: false,
  }
}

/** For a name of one's own in front of ECR. */
async function defaultRegion(host: Host, { environment }: CredentialContext): Promise<string> {
  const { name, profiles } = await readProfiles(environment)
  const region = environment.AWS_REGION || environment.AWS_DEFAULT_REGION || profiles.get(name)?.get('region')
  if (region && /^[a-z0-9-]+$/.test(region)) return region
  throw new Fault('invalid-config', `the name ${host} does not tell in which region of AWS its registry is`, {
    fix: 'Set AWS_REGION.',
  })
}

async function fetchPassword(
  service: EcrService,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<FetchedCredential | null> {
  const { url, name, target, region } = service
  const keys = await findKeys(service, context, signal)
  if (keys === null) return null
  const who = `${name === 'ecr' ? 'ECR' : 'ECR Public'} (GetAuthorizationToken, with keys of ${keys.from})`
  const answer = await callAws(
    {
      ...{ url, service: name, region, body: '{}', keys, who },
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `${target}.GetAuthorizationToken` },
      fix:
        name === 'ecr'
          ? 'Allow the caller ecr:GetAuthorizationToken; `aws sts get-caller-identity` shows who it is.'
          : 'Allow the caller ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken, or set registries.HOST.anonymous.',
    },
    context,
    signal,
  )
  const { authorizationData } = readObject(answer, who)
  const entry = Object(Array.isArray(authorizationData) ? authorizationData[0] : authorizationData)
  const pair = Buffer.from(requireText(entry, 'authorizationToken', who), 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  if (colon <= 0 || !/^[\x20-\x7e]+$/.test(pair)) {
    throw new Fault('broken-answer', `${who} gave an authorizationToken that is none`)
  }
  const identity = `${keyOf(service)} ${keys.from}`
  return {
    credential: passwordCredential(pair.slice(0, colon), pair.slice(colon + 1), identity),
    untilMs: readTime(entry.expiresAt, 'expiresAt', who),
  }
}
