import { parseImageConfig } from '../core/image-config.js'
import { isAttestation } from '../core/manifest.js'
import { type Platform, parsePlatform } from '../core/platform.js'
import { formatReference } from '../core/reference.js'
import type { Capability } from '../iam/capabilities.js'
import { openImage } from './open-image.js'
import { type DigestCall, digestImageCall, openDigests, type ReadableImage } from './readable-digest.js'

export { diffDigests } from './diff-digests.js'
export type { DigestCall } from './readable-digest.js'

/** Which image of a repository is asked about. */
export interface DigestQuestion {
  /** The UIDP of a repository: what the caller must have rights on. */
  readonly repository: string
  readonly digest: string
  /** `amd64`, `arm64`, `arm/v7`; of an index, `amd64` when left out or empty. */
  readonly arch?: string | undefined
}

/** How a container of an image is run: `ImageConfig` of registry.platform.proto, in the gateway's JSON names. */
export interface DigestImageConfig {
  readonly user: string
  /** `8080/tcp`, each with an empty object. */
  readonly exposedPorts: Readonly<Record<string, object>>
  /** `NAME=value` */
  readonly env: readonly string[]
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** Paths, each with an empty object. */
  readonly volumes: Readonly<Record<string, object>>
  readonly workingDir: string
  readonly labels: Readonly<Record<string, string>>
  readonly stopSignal: string
}

/** Chainguard's rules for these calls: sdk v0.1.20, registry.platform.proto. */
const capabilities: readonly Capability[] = ['repo.list', 'manifest.metadata.list']
const defaultArchitecture = 'amd64'

/**
 * The configuration of an image.
 * @throws Fault as `openDigests` and `DigestReader.image`; `invalid-platform`, `damaged-layer`
 */
export async function digestImageConfig(question: DigestQuestion, call: DigestCall): Promise<DigestImageConfig> {
  const image = await openQuestion(question, call)
  const config = parseImageConfig((await open(image, call)).config)
  const objects = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]))
  return {
    user: config.user,
    exposedPorts: objects(config.ports),
    env: [...config.env].map(([name, value]) => `${name}=${value}`),
    entrypoint: config.entrypoint ?? [],
    cmd: config.cmd ?? [],
    volumes: objects(config.volumes),
    workingDir: config.workingDir,
    labels: Object.fromEntries(config.labels),
    stopSignal: config.stopSignal,
  }
}

/**
 * The architectures of an index, or of one image, sorted, with the variant where there is one: `amd64`, `arm/v7`. Empty where
 * none is named.
 * @throws Fault as `openDigests` and `DigestReader.manifest`
 */
export async function digestArchitectures(
  { repository, digest }: Pick<DigestQuestion, 'repository' | 'digest'>,
  call: DigestCall,
): Promise<string[]> {
  const digests = await openDigests(repository, capabilities, call)
  const { manifest } = await digests.manifest(digest)
  if (manifest.kind === 'index') {
    const images = manifest.children.filter((child) => !isAttestation(child))
    return [...new Set(images.flatMap(({ platform }) => (platform === undefined ? [] : [formatArch(platform)])))].sort()
  }
  const image = await digests.image(digest, platformOf(undefined))
  const { platform } = await open(image, call)
  return platform === null ? [] : [formatArch(platform)]
}

/**
 * What an image takes on its registry: its layers, packed, and its configuration.
 * @throws Fault as `openDigests` and `DigestReader.image`; `invalid-platform`
 */
export async function digestSize(
  question: DigestQuestion,
  call: DigestCall,
): Promise<{ readonly sizeBytes: number; readonly arch: string }> {
  const image = await openQuestion(question, call)
  const { config, layers } = image.manifest
  const platform = image.platform ?? (await open(image, call)).platform
  return {
    sizeBytes: layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, config.sizeBytes),
    arch: platform === null ? '' : formatArch(platform),
  }
}

async function openQuestion({ repository, digest, arch }: DigestQuestion, call: DigestCall): Promise<ReadableImage> {
  const digests = await openDigests(repository, capabilities, call)
  const image = await digests.image(digest, platformOf(arch))
  for (const note of image.notes) call.warn(note)
  return image
}

async function open({ reference }: ReadableImage, call: DigestCall) {
  const question = { source: formatReference(reference), platform: platformOf(undefined) }
  return await openImage(question, call.services, digestImageCall(call))
}

/** @throws Fault `invalid-platform` */
function platformOf(arch: string | undefined): Platform {
  return parsePlatform(`linux/${arch || defaultArchitecture}`)
}

function formatArch({ architecture, variant }: Platform): string {
  return variant === undefined ? architecture : `${architecture}/${variant}`
}
