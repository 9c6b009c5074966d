import type { DigestResult } from '../../client/src/index.js'
import type { Cost } from '../core/cost.js'
import { Fault } from '../core/fault.js'
import { type ImageIndex, isAttestation, parseManifest } from '../core/manifest.js'
import { formatPlatform, matchesPlatform, type Platform } from '../core/platform.js'
import { formatReference } from '../core/reference.js'
import type { Services } from './open.js'
import { resolveRevision } from './resolve.js'

/** What is asked of {@link lookUpDigest}. */
export interface DigestQuestion {
  /** A reference or `REF@{…}`. */
  readonly revision: string
  readonly platform?: Platform | undefined
  /** Whether an index's platforms are wanted: costs a GET, which counts as a pull at some registries. */
  readonly wantsPlatforms: boolean
}

/**
 * The digest of what a reference points at now, or of its manifest for one platform.
 * @throws Fault `platform-not-found`, and what resolving and asking throw
 */
export async function lookUpDigest(
  question: DigestQuestion,
  services: Services,
  call: { readonly cost: Cost; readonly signal?: AbortSignal | undefined; warn(message: string): void },
): Promise<DigestResult> {
  const reference = await resolveRevision(question.revision, services, call.warn)
  const name = formatReference(reference)
  if (isMoment(question.revision) && reference.digest !== undefined && !question.wantsPlatforms && !question.platform) {
    // Answered from history alone: the registry may be away, or have forgotten it.
    const { manifests } = await services.store()
    const mediaType = (await manifests.get(reference.digest))?.mediaType ?? ''
    return { reference: name, digest: reference.digest, mediaType, platforms: [] }
  }
  const registry = await services.registry()
  const { digest, mediaType } = await registry.head(reference, call)
  const isIndex = /index|list/.test(mediaType)
  if (!question.wantsPlatforms && question.platform === undefined)
    return { reference: name, digest, mediaType, platforms: [] }
  if (!isIndex) {
    if (question.platform !== undefined) throw singlePlatform(name, question.platform)
    return { reference: name, digest, mediaType, platforms: [] }
  }
  const { bytes } = await registry.manifest({ ...reference, digest }, call)
  const index = parseManifest(bytes, mediaType)
  const platforms = index.kind === 'index' ? platformsOf(index) : []
  const { platform } = question
  if (platform === undefined) return { reference: name, digest, mediaType, platforms: platforms.map(withoutType) }
  const child = platforms.find((entry) => matchesPlatform(entry.offered, platform))
  if (child === undefined) throw notFound(name, platform, platforms)
  return { reference: name, digest: child.digest, mediaType: child.mediaType, platforms: [withoutType(child)] }
}

/** Whether `REF@{…}` was asked for. */
function isMoment(revision: string): boolean {
  return /@\{[^}]*\}$/.test(revision)
}

type PlatformEntry = ReturnType<typeof platformsOf>[number]

function platformsOf(index: ImageIndex) {
  return index.children.flatMap((child) =>
    child.platform === undefined || isAttestation(child)
      ? []
      : [
          {
            platform: formatPlatform(child.platform),
            offered: child.platform,
            digest: child.digest,
            mediaType: child.mediaType,
          },
        ],
  )
}

function withoutType({ platform, digest }: PlatformEntry): { platform: string; digest: string } {
  return { platform, digest }
}

function notFound(name: string, wanted: Platform, platforms: readonly PlatformEntry[]): Fault {
  const offered = platforms.map(({ platform }) => platform)
  return new Fault('platform-not-found', `${name} has nothing for ${formatPlatform(wanted)}`, {
    fix: `Choose one of ${offered.join(', ')}.`,
    data: { platforms: offered },
  })
}

/** The platform of a single manifest is in its config, which is not read here: a guess would be worse than a refusal. */
function singlePlatform(name: string, wanted: Platform): Fault {
  return new Fault(
    'platform-not-found',
    `${name} is a single manifest, not an index, so ${formatPlatform(wanted)} cannot be chosen`,
    {
      fix: 'Leave out --platform.',
    },
  )
}
