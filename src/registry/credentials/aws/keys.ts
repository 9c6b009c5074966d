import { Fault, oneLine } from '../../../core/fault.js'
import type { CredentialContext } from '../credential.js'
import { readSecretFile, requireUrl } from '../secret-file.js'
import { containerKeys, instanceKeys } from './metadata.js'
import { type AwsProfile, type AwsProfiles, readProfiles } from './profile.js'
import { type AwsKeys, callAws, namedEndpoint, xmlText } from './request.js'

/** Where the keys are for, which decides what STS is asked. */
export interface AwsPlace {
  readonly region: string
  /** `amazonaws.com`, or another partition's. */
  readonly suffix: string
  /** Whether a role of the container or the machine, which nobody chose for this, is to be used. */
  readonly isAmbient: boolean
}

/**
 * The keys that AWS's own programs would use: environment, web identity, profile, container, instance (aws-sdk-go-v2's
 * order, which amazon-ecr-credential-helper has); null when there are none.
 * @throws Fault `invalid-config`, `file-unreadable`, `denied`, and what sending throws
 */
export async function findKeys(
  place: AwsPlace,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<AwsKeys | null> {
  const { environment } = context
  const own = environmentKeys(environment)
  if (own !== null) return own
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: role, AWS_ROLE_SESSION_NAME: session } = environment
  if (file) {
    if (!role) throw incomplete('AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_ARN')
    return await webIdentityKeys({ file, role, session }, place, context, signal)
  }
  const profiles = await readProfiles(environment)
  const fromProfile = await profileKeys(profiles.name, profiles, [], place, context, signal)
  if (fromProfile !== null) return fromProfile
  if (environment.AWS_PROFILE) {
    throw new Fault('invalid-config', `the profile '${oneLine(profiles.name)}' of AWS_PROFILE has no credentials`, {
      fix: 'Run `aws configure --profile NAME`, or unset AWS_PROFILE.',
    })
  }
  if (!place.isAmbient) return null
  return (await containerKeys(context, signal)) ?? (await instanceKeys(context, signal))
}

function environmentKeys(environment: CredentialContext['environment']): AwsKeys | null {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = environment
  if (!accessKeyId && !secretAccessKey) return null
  if (!accessKeyId || !secretAccessKey) throw incomplete('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY')
  const from = 'the environment (AWS_ACCESS_KEY_ID)'
  return { accessKeyId, secretAccessKey, ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }), from }
}

async function profileKeys(
  name: string,
  all: AwsProfiles,
  before: readonly string[],
  place: AwsPlace,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<AwsKeys | null> {
  const profile = all.profiles.get(name)
  if (profile === undefined) return null
  const from = `the profile '${oneLine(name)}'`
  const role = profile.get('role_arn')
  // A profile may name itself as its source: then its own keys are meant.
  if (role !== undefined && !before.includes(name)) {
    const file = profile.get('web_identity_token_file')
    const session = profile.get('role_session_name')
    if (file !== undefined) return await webIdentityKeys({ file, role, session }, place, context, signal)
    const source = await sourceKeys(name, profile, all, [...before, name], place, context, signal)
    return await assumedKeys({ role, session, externalId: profile.get('external_id') }, source, place, context, signal)
  }
  const [accessKeyId, secretAccessKey] = [profile.get('aws_access_key_id'), profile.get('aws_secret_access_key')]
  if (accessKeyId && secretAccessKey) {
    const sessionToken = profile.get('aws_session_token')
    return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }), from }
  }
  if (accessKeyId || secretAccessKey) throw incomplete(`${from}: aws_access_key_id`, 'aws_secret_access_key')
  const other = ['credential_process', 'sso_session', 'sso_start_url', 'login_session'].find((key) => profile.has(key))
  if (other === undefined) return null
  throw new Fault('invalid-config', `${from} of AWS gets its keys by ${other}, which Tidemark does not do`, {
    fix: 'Run `eval "$(aws configure export-credentials --format env)"` first, or use docker-credential-ecr-login.',
  })
}

async function sourceKeys(
  name: string,
  profile: AwsProfile,
  all: AwsProfiles,
  before: readonly string[],
  place: AwsPlace,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<AwsKeys> {
  const [source, from] = [profile.get('source_profile'), profile.get('credential_source')]
  const isCircle = source !== undefined && source !== name && before.includes(source)
  const keys = isCircle
    ? null
    : source !== undefined
      ? await profileKeys(source, all, before, place, context, signal)
      : from === 'Environment'
        ? environmentKeys(context.environment)
        : from === 'EcsContainer'
          ? await containerKeys(context, signal)
          : from === 'Ec2InstanceMetadata'
            ? await instanceKeys(context, signal)
            : null
  if (keys !== null) return keys
  throw new Fault(
    'invalid-config',
    `the profile '${oneLine(name)}' of AWS has a role_arn, and no keys to assume it with`,
    {
      fix: 'Give it a source_profile that has keys, or a credential_source.',
    },
  )
}

/** STS AssumeRole, API version 2011-06-15. */
async function assumedKeys(
  { role, session, externalId }: { role: string; session: string | undefined; externalId: string | undefined },
  keys: AwsKeys,
  place: AwsPlace,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<AwsKeys> {
  const form = { RoleArn: role, RoleSessionName: session || 'tidemark', ...(externalId && { ExternalId: externalId }) }
  return await askSts('AssumeRole', form, keys, place, context, signal)
}

/** STS AssumeRoleWithWebIdentity, which needs no keys. The token is read each time: Kubernetes rotates it. */
async function webIdentityKeys(
  { file, role, session }: { file: string; role: string; session: string | undefined },
  place: AwsPlace,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<AwsKeys> {
  const token = (await readSecretFile(file, 'the web identity token of AWS')).trim()
  const form = { RoleArn: role, RoleSessionName: session || 'tidemark', WebIdentityToken: token }
  return await askSts('AssumeRoleWithWebIdentity', form, null, place, context, signal)
}

async function askSts(
  action: 'AssumeRole' | 'AssumeRoleWithWebIdentity',
  parameters: Readonly<Record<string, string>>,
  keys: AwsKeys | null,
  { region, suffix }: AwsPlace,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<AwsKeys> {
  const endpoint = namedEndpoint('STS', context.environment) ?? `https://sts.${region}.${suffix}`
  const who = `AWS STS (${action}${keys === null ? '' : `, with keys of ${keys.from}`})`
  const answer = await callAws(
    {
      ...{ url: requireUrl(endpoint, 'the endpoint of AWS STS'), service: 'sts', region, keys, who },
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', accept: 'text/xml' },
      body: new URLSearchParams({ Action: action, Version: '2011-06-15', ...parameters }).toString(),
      fix: `Check that the trust policy of ${oneLine(parameters.RoleArn ?? '')} allows ${action} to this caller.`,
    },
    context,
    signal,
  )
  const text = answer.body.toString('utf8')
  const read = (name: string) => {
    const value = xmlText(text, name)
    if (value) return value
    throw new Fault('broken-answer', `${who} gave no ${name}`)
  }
  return {
    accessKeyId: read('AccessKeyId'),
    secretAccessKey: read('SecretAccessKey'),
    sessionToken: read('SessionToken'),
    from: `the role ${oneLine(parameters.RoleArn ?? '')}`,
  }
}

function incomplete(name: string, other: string): Fault {
  return new Fault('invalid-config', `${name} and ${other} belong together`, { fix: 'Give both, or neither.' })
}
