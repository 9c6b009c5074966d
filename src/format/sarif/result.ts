import { digestOf } from '../../core/digest.js'
import { isFault } from '../../core/fault.js'
import type { Finding, FindingCause } from '../../core/finding.js'
import type { ImageIdentity } from '../../core/inventory.js'
import { formatPurl, parsePurl } from '../../core/purl.js'
import { parseReference } from '../../core/reference.js'

/** A result with the finding that it is of, which is not written. */
export interface SarifResult {
  readonly finding: Finding
  readonly baselineState?: 'new' | 'unchanged' | 'absent'
  readonly body: object
}

/** A finding as a result (SARIF 2.1.0, section 3.27). */
export function resultOf(finding: Finding, image: ImageIdentity, cause?: FindingCause): SarifResult {
  const { id, package: one, evidence } = finding
  const name = imageName(image)
  const path = evidence.replace(/^\/+/, '')
  return {
    finding,
    body: {
      ruleId: id,
      level: levelOf(finding),
      message: { text: messageOf(finding, cause) },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: [...name.split('/'), ...path.split('/')].map(encodeSegment).join('/') },
            // GitHub shows no result without a line.
            region: { startLine: 1 },
          },
          logicalLocations: [
            { name: one.name, fullyQualifiedName: `${image.reference}: ${one.purl}`, kind: 'package' },
          ],
        },
      ],
      partialFingerprints: { 'tidemark/v1': fingerprintOf(finding) },
      ...suppressionOf(finding),
      properties: propertiesOf(finding),
    },
  }
}

/** Section 3.27.10. What nobody has rated may be anything. */
function levelOf({ severity }: Finding): string {
  if (severity === 'critical' || severity === 'high') return 'error'
  return severity === 'medium' || severity === 'unknown' ? 'warning' : 'note'
}

function messageOf(
  { id, package: one, status, statusReason, fixedVersion, ...more }: Finding,
  cause?: FindingCause,
): string {
  const affected = status === 'affected' ? 'is affected by' : `may be affected by`
  const first =
    status === 'not_affected' || status === 'fixed'
      ? `${one.name} ${one.version}: ${id} is ${status === 'fixed' ? 'fixed' : 'no problem'}.`
      : `${one.name} ${one.version} ${affected} ${id} (${more.severity}).`
  const parts = [
    first,
    fixedVersion === null ? 'No fixed version is known.' : `Fixed in ${fixedVersion}.`,
    more.kev === null ? '' : 'It is known to be exploited.',
    statusReason === null ? '' : `${statusReason}.`,
    cause === undefined ? '' : `${causeText(cause)}.`,
  ]
  return parts.filter((part) => part !== '').join(' ')
}

function causeText(cause: FindingCause): string {
  if (cause.kind === 'other') return `Because ${cause.reason}`
  const { name } = cause.package
  if (cause.kind === 'changed') return `Because ${name} went from ${cause.package.from} to ${cause.package.to}`
  return `Because ${name} ${cause.package.version} was ${cause.kind}`
}

/**
 * The same for a vulnerability in a package at a path, whatever its version and its distribution's: an upgrade must not look
 * like another alert.
 */
function fingerprintOf({ id, aliases, package: one, evidence }: Finding): string {
  const cve = [id, ...aliases].find((name) => name.startsWith('CVE-')) ?? id
  const purl = parsePurl(one.purl)
  const bare = purl === null ? one.name : formatPurl({ ...purl, version: null, qualifiers: new Map() })
  return digestOf(JSON.stringify([cve, bare, evidence])).slice('sha256:'.length)
}

/** Section 3.35: what counts in no gate. */
function suppressionOf({ status, statusReason, ignored }: Finding): object {
  if (ignored === null && status !== 'not_affected' && status !== 'fixed') return {}
  const justification = ignored === null ? statusReason : ignored.reason
  return {
    suppressions: [{ kind: 'external', status: 'accepted', ...(justification !== null && { justification }) }],
  }
}

function propertiesOf({ package: one, aliases, status, fixedVersion, kev, epss, layer }: Finding): object {
  return {
    purl: one.purl,
    aliases,
    status,
    fixedVersion,
    ...(kev !== null && { kev: kev.addedOn }),
    ...(epss !== null && { epss: epss.score }),
    ...(layer !== null && { layer }),
  }
}

/** Without tag and digest, which change with every build: `library/nginx`, a folder's own name. */
function imageName({ reference }: ImageIdentity): string {
  const fromPath = () =>
    reference
      .replace(localKinds, '')
      .split('/')
      .filter((part) => !/^\.*$/.test(part))
      .pop() ?? 'image'
  if (localKinds.test(reference)) return fromPath()
  try {
    return parseReference(reference).path
  } catch (error) {
    if (isFault(error)) return fromPath()
    throw error
  }
}

const localKinds = /^(?:dir|oci|oci-archive|docker-archive|sbom):/

/** RFC 3986, section 3.3; what is no text is shown as U+FFFD. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment.replace(/[\ud800-\udfff]/gu, '\ufffd'))
}
