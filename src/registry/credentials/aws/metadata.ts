import { Fault, oneLine } from '../../../core/fault.js'
import { shown } from '../../../core/json-object.js'
import type { HttpResponse } from '../../../http/send.js'
import type { CredentialContext } from '../credential.js'
import { askIfThere, probeMs, type Question, readObject, refusal, requireText } from '../question.js'
import { readSecretFile, requireUrl } from '../secret-file.js'
import type { AwsKeys } from './request.js'

/**
 * Keys of the container that we run in (ECS, Fargate, EKS Pod Identity); null when the environment names none. AWS SDKs and
 * Tools Reference Guide, "Container credential provider".
 * @throws Fault `invalid-config`, `denied`, and what sending throws
 */
export async function containerKeys(context: CredentialContext, signal: AbortSignal): Promise<AwsKeys | null> {
  const { environment, send } = context
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = environment
  if (!relative && !full) return null
  const url = relative ? requireUrl(`http://169.254.170.2${relative}`, relativeName) : requireUrl(full ?? '', fullName)
  if (relative && url.host !== '169.254.170.2') throw notAPath()
  if (url.protocol !== 'https:' && !isContainerHost(url.hostname)) {
    throw new Fault(
      'invalid-config',
      `${fullName} is not encrypted, and neither loopback nor the address of ECS or EKS`,
      {
        fix: `Give an https:// URL, or unset ${fullName}.`,
      },
    )
  }
  const { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file, AWS_CONTAINER_AUTHORIZATION_TOKEN: given } = environment
  const token = file ? (await readSecretFile(file, 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE')).trim() : given
  if (token && !/^[\x20-\x7e]+$/.test(token)) {
    throw new Fault('invalid-config', 'the authorization token of the AWS container credentials is not one line', {
      fix: 'Mend AWS_CONTAINER_AUTHORIZATION_TOKEN, or the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.',
    })
  }
  const question: Question = {
    ...{ method: 'GET', url, headers: token ? { authorization: token } : {}, signal },
    to: 'metadata',
  }
  const answer = await send(question)
  const who = 'the credentials endpoint of the container'
  if (answer.status !== 200) throw refusal(answer, question, who, wordsOf(answer), 'Check the role of the task or pod.')
  return readKeys(answer, who, 'the container')
}

/**
 * Keys of the role of the EC2 instance that we run on (IMDSv2); null where there is no metadata service, or no role.
 * @throws Fault `denied`, `broken-answer`, and `unreachable` where the environment names the service
 */
export async function instanceKeys(context: CredentialContext, signal: AbortSignal): Promise<AwsKeys | null> {
  const { environment, send } = context
  if (environment.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true') return null
  const named = environment.AWS_EC2_METADATA_SERVICE_ENDPOINT
  const isIpv6 = environment.AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE?.toLowerCase() === 'ipv6'
  const base = requireUrl(named || `http://${isIpv6 ? '[fd00:ec2::254]' : '169.254.169.254'}`, endpointName)
  const root = base.href.replace(/\/+$/, '')
  const session = await openSession(root, Boolean(named), context, signal)
  if (session === null) return null
  const headers = { 'x-aws-ec2-metadata-token': session }
  const ask = (path: string): Question => ({
    ...{ method: 'GET', url: new URL(`${root}/latest/meta-data/iam/security-credentials/${path}`), headers, signal },
    to: 'metadata',
  })
  const roles = await send(ask(''))
  if (roles.status === 404) return null
  if (roles.status !== 200) throw refusal(roles, ask(''), imds, '', imdsFix)
  const role = roles.body.toString('utf8').split('\n')[0]?.trim() ?? ''
  if (!/^[\w+=,.@-]{1,128}$/.test(role)) throw new Fault('broken-answer', `${imds} names no role`)
  const answer = await send(ask(role))
  if (answer.status !== 200) throw refusal(answer, ask(role), imds, '', imdsFix)
  return readKeys(answer, imds, `the instance's role ${role}`)
}

async function openSession(
  root: string,
  isNamed: boolean,
  { send }: CredentialContext,
  signal: AbortSignal,
): Promise<string | null> {
  const question: Question = {
    ...{ method: 'PUT', url: new URL(`${root}/latest/api/token`), body: '', signal, to: 'metadata' },
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' },
    withinMs: isNamed ? undefined : probeMs,
  }
  const answer = await askIfThere(question, isNamed, send)
  if (answer === null) return null
  // Another cloud's service at that address, or one that is switched off.
  if (!isNamed && [403, 404, 405].includes(answer.status)) return null
  if (answer.status !== 200) throw refusal(answer, question, imds, '', imdsFix)
  return requireText({ token: answer.body.toString('utf8').trim() }, 'token', imds)
}

function readKeys(answer: HttpResponse, who: string, from: string): AwsKeys {
  const fields = readObject(answer, who)
  if (fields.Code !== undefined && fields.Code !== 'Success') {
    throw new Fault('denied', `${who} has no keys: ${oneLine(shown(fields.Code))}`, { fix: imdsFix })
  }
  return {
    accessKeyId: requireText(fields, 'AccessKeyId', who),
    secretAccessKey: requireText(fields, 'SecretAccessKey', who),
    ...(fields.Token !== undefined && { sessionToken: requireText(fields, 'Token', who) }),
    from,
  }
}

function wordsOf({ body }: HttpResponse): string {
  return /^[\x20-\x7e\s]{0,200}$/.test(body.toString('utf8')) ? body.toString('utf8') : ''
}

function isContainerHost(name: string): boolean {
  return (
    ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]', 'localhost', '[::1]'].includes(name) || /^127\./.test(name)
  )
}

function notAPath(): Fault {
  return new Fault('invalid-config', `${relativeName} is no path`, { fix: `Unset ${relativeName}.` })
}

const relativeName = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'
const fullName = 'AWS_CONTAINER_CREDENTIALS_FULL_URI'
const endpointName = 'AWS_EC2_METADATA_SERVICE_ENDPOINT'
const imds = 'the metadata service of EC2'
const imdsFix = 'Check the role of the instance, or set AWS_EC2_METADATA_DISABLED=true.'
