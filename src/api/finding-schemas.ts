import { Type } from 'typebox'
import { severities } from '../core/advisory.js'
import { evidenceKind, imageIdentity, imagePackage, packageChange, snapshotIdentity } from './package-schemas.js'
import { closed, digest, nullable, words } from './schema-pieces.js'

const share = Type.Number({ minimum: 0, maximum: 1 })
const day = Type.String({ description: 'a day', examples: ['2026-12-31'] })

const vexVerdict = Type.Object(
  {
    document: Type.String({ description: 'the file or address that the statement is from' }),
    author: nullable(Type.String()),
    status: words(['not_affected', 'affected', 'fixed', 'under_investigation'], 'what it says'),
    justification: nullable(Type.String({ description: "in OpenVEX's words" })),
    statement: nullable(Type.String({ description: 'impact or action' })),
    at: nullable(Type.String({ description: 'when it was said', examples: ['2026-11-01T00:00:00.000Z'] })),
  },
  closed,
)

const findingProperties = {
  id: Type.String({ description: 'of the advisory that was decisive' }),
  aliases: Type.Array(Type.String()),
  severity: words(severities, 'how bad it is'),
  severitySource: nullable(Type.String({ description: 'who rated it so' })),
  cvss: Type.Array(
    Type.Object(
      {
        version: words(['2.0', '3.0', '3.1', '4.0'], 'of CVSS'),
        vector: Type.String(),
        score: Type.Number({ minimum: 0, maximum: 10 }),
        by: Type.String(),
      },
      closed,
    ),
  ),
  package: Type.Object(
    { name: Type.String(), version: Type.String(), type: Type.String(), purl: Type.String() },
    closed,
  ),
  installedVersion: Type.String({ description: 'the version that was compared' }),
  affectedRange: Type.String({ examples: ['>= 2.0, < 2.4.1 || = 3.0'] }),
  fixedVersion: nullable(Type.String({ description: 'the lowest version above it that is not affected' })),
  fixState: nullable(words(['open', 'wont-fix', 'deferred', 'end-of-life'], 'why there is no fix')),
  status: words(['affected', 'not_affected', 'fixed', 'under_investigation', 'unknown'], 'what is known'),
  statusReason: nullable(Type.String({ description: 'why it is not affected' })),
  vex: nullable(vexVerdict),
  ignored: nullable(Type.Object({ reason: nullable(Type.String()), until: nullable(day) }, closed)),
  kev: nullable(Type.Object({ addedOn: day, dueOn: nullable(day), usedByRansomware: Type.Boolean() }, closed)),
  epss: nullable(Type.Object({ score: share, percentile: share }, closed)),
  reference: Type.String({ description: 'namespace of the data', examples: ['debian:distro:debian:12'] }),
  url: nullable(Type.String()),
  summary: nullable(Type.String()),
  source: Type.String({ description: 'who read the advisory' }),
  layer: nullable(digest),
  evidence: Type.String({ description: 'the file that named the package' }),
}
const finding = Type.Object(findingProperties, closed)

/** What `scan` answers. */
export const scanReport = Type.Object(
  {
    image: imageIdentity,
    snapshot: snapshotIdentity,
    evidence: evidenceKind,
    complete: Type.Boolean({ description: 'false when packages or advisory data may be missing' }),
    findings: Type.Array(finding),
    bytesFetched: Type.Integer(),
    warnings: Type.Array(Type.String()),
  },
  closed,
)

const cause = Type.Union([
  Type.Object({ kind: words(['changed'], 'a package changed'), package: packageChange }, closed),
  Type.Object({ kind: words(['added', 'removed'], 'a package came or went'), package: imagePackage }, closed),
  Type.Object({ kind: words(['other'], 'no package changed'), reason: Type.String() }, closed),
])
const caused = Type.Array(Type.Object({ ...findingProperties, cause }, closed))

/** Vulnerabilities that came, went and stayed. */
export const vulnerabilitiesDiff = Type.Object(
  {
    complete: Type.Boolean({ description: 'false where there is no advisory data for some packages' }),
    introduced: caused,
    fixed: caused,
    unchanged: Type.Array(finding),
  },
  closed,
)

/** What only newer advisory data say of an image. */
export const newlyKnown = Type.Object(
  {
    since: Type.String({ description: 'the older data' }),
    appeared: Type.Array(finding),
    gone: Type.Array(finding),
    changed: Type.Array(
      Type.Object(
        {
          from: finding,
          to: finding,
          what: Type.Array(words(['severity', 'status', 'fix', 'kev'], 'what they say differently')),
        },
        closed,
      ),
    ),
  },
  closed,
)

/** What `explain` answers. */
export const explanation = Type.Object(
  {
    id: Type.String(),
    aliases: Type.Array(Type.String()),
    image: imageIdentity,
    snapshot: snapshotIdentity,
    complete: Type.Boolean({ description: 'false when packages or advisory data may be missing' }),
    findings: Type.Array(finding),
    decisions: Type.Array(
      Type.Object(
        {
          code: Type.String({ description: 'which rule decided' }),
          sentence: Type.String(),
          advisory: nullable(Type.Object({ source: Type.String(), id: Type.String() }, closed)),
          package: nullable(
            Type.Object(
              { name: Type.String(), version: Type.String(), purl: Type.String(), evidence: Type.String() },
              closed,
            ),
          ),
          installedVersion: nullable(Type.String()),
          affectedRange: Type.String(),
          fixedVersion: nullable(Type.String()),
        },
        closed,
      ),
    ),
    warnings: Type.Array(Type.String()),
  },
  closed,
)
