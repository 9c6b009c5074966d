import { type TSchema, Type } from 'typebox'
import { newlyKnown, vulnerabilitiesDiff } from './finding-schemas.js'
import { evidenceKind, imageIdentity, imagePackage, packageChange, snapshotIdentity } from './package-schemas.js'
import { closed, digest, nullable, time, words } from './schema-pieces.js'

export { explanation, scanReport } from './finding-schemas.js'
export { evidenceWish, packageList } from './package-schemas.js'
export { closed, digest } from './schema-pieces.js'

/** `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]` */
export const reference = Type.String({
  minLength: 1,
  maxLength: 600,
  description: '[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]',
  examples: ['nginx:1.27'],
})
export const revision = Type.String({
  minLength: 1,
  maxLength: 600,
  description: 'a reference, or what a tag was: REF@{1}, REF@{2026-05-01}, REF@{7d}',
  examples: ['nginx:1.27', 'nginx:1.27@{1}'],
})
export const repository = Type.String({
  minLength: 1,
  maxLength: 600,
  description: '[HOST[:PORT]/]REPOSITORY',
  examples: ['ghcr.io/org/app'],
})
export const platform = Type.String({ description: 'os/architecture[/variant]', examples: ['linux/amd64'] })
export const every = Type.String({ description: 'a duration such as 30s, 5m, 1h', examples: ['5m'] })
export const cursor = Type.String({ maxLength: 200, description: 'where the page before ended, from its Link header' })
export const order = words(['asc', 'desc'], 'oldest or newest first; asc by default')
export const limit = Type.Integer({ minimum: 1, maximum: 1_000, description: 'at most so many; 1,000 by default' })

export const historyEntry = Type.Object(
  {
    digest: nullable(digest),
    at: time('orders, filters and dates'),
    seenAt: nullable(time('when Tidemark saw it')),
    notBefore: nullable(time('when it was last seen not to have happened')),
    pushedAt: nullable(time('when the registry, or an imported history, says it was pushed')),
    kind: words(['first-seen', 'moved', 'rolled-back', 'removed', 're-created'], 'how the tag came to point at it'),
    changes: Type.Array(
      words(
        ['content', 'platform-added', 'platform-removed', 'attestation-only', 'config-only', 'rebuild', 'media-type'],
        'what the move changed, as far as the manifests tell',
      ),
    ),
    source: words(['head', 'reported', 'import'], 'who says so'),
  },
  closed,
)
export const historyGap = Type.Object(
  { from: time('begin'), to: nullable(time('end; null: it lasts')), reason: Type.String() },
  closed,
)
export const history = Type.Object(
  { reference: Type.String(), entries: Type.Array(historyEntry), gaps: Type.Array(historyGap) },
  closed,
)
const exported = {
  history: Type.Array(Type.Object({ updateTimestamp: time('when'), digest }, closed), { maxItems: 100_000 }),
}
export const historyExport = Type.Object(exported, closed)
export const historyImport = Type.Object({ reference, ...exported }, closed)
export const historyImportResult = Type.Object(
  { reference: Type.String(), inserted: Type.Integer(), dated: Type.Integer() },
  closed,
)

export const digestResult = Type.Object(
  {
    reference: Type.String(),
    digest,
    mediaType: Type.String(),
    platforms: Type.Array(Type.Object({ platform: Type.String(), digest }, closed)),
  },
  closed,
)

export const checkReport = Type.Object(
  {
    results: Type.Array(
      Type.Object(
        {
          reference: Type.String(),
          digest: nullable(digest),
          previousDigest: nullable(digest),
          status: words(['same', 'moved', 'new', 'absent', 'unknown'], 'what was found'),
          reason: nullable(
            words(
              ['not-found', 'denied', 'rate-limited', 'unreachable', 'timeout', 'tls', 'broken-answer', 'store'],
              'why it is absent or unknown',
            ),
          ),
          checkedAt: time('when'),
        },
        closed,
      ),
    ),
  },
  closed,
)

export const tagList = Type.Object({ repository: Type.String(), tags: Type.Array(Type.String()) }, closed)

const change = <Schema extends TSchema>(schema: Schema) => Type.Object({ from: schema, to: schema }, closed)
const setChange = Type.Object({ added: Type.Array(Type.String()), removed: Type.Array(Type.String()) }, closed)
const named = Type.Array(Type.Object({ name: Type.String(), value: Type.String() }, closed))
const mapChange = Type.Object(
  {
    added: named,
    removed: named,
    changed: Type.Array(Type.Object({ name: Type.String(), from: Type.String(), to: Type.String() }, closed)),
  },
  closed,
)
const texts = nullable(Type.Array(Type.String()))
const amount = nullable(Type.Integer())
const healthcheck = Type.Object(
  {
    test: Type.Array(Type.String()),
    intervalMs: nullable(Type.Number()),
    timeoutMs: nullable(Type.Number()),
    startPeriodMs: nullable(Type.Number()),
    retries: nullable(Type.Number()),
  },
  closed,
)
const configDiff = Type.Object(
  {
    user: Type.Optional(change(Type.String())),
    workingDir: Type.Optional(change(Type.String())),
    stopSignal: Type.Optional(change(Type.String())),
    entrypoint: Type.Optional(change(texts)),
    cmd: Type.Optional(change(texts)),
    healthcheck: Type.Optional(change(nullable(healthcheck))),
    env: Type.Optional(mapChange),
    labels: Type.Optional(mapChange),
    ports: Type.Optional(setChange),
    volumes: Type.Optional(setChange),
  },
  closed,
)
const layer = Type.Object(
  { digest: nullable(digest), diffId: nullable(digest), sizeBytes: amount, unpackedBytes: amount },
  closed,
)
const packageSizeChange = Type.Object(
  { type: Type.String(), name: Type.String(), from: Type.Integer(), to: Type.Integer() },
  closed,
)
const filesDiff = Type.Object(
  {
    added: Type.Array(Type.String()),
    removed: Type.Array(Type.String()),
    changed: Type.Array(
      Type.Object(
        {
          path: Type.String(),
          changes: Type.Array(words(['type', 'content', 'size', 'mode', 'owner', 'link', 'time'], 'what differs')),
        },
        closed,
      ),
    ),
    timeOnly: Type.Integer(),
    unknown: Type.Integer(),
  },
  closed,
)
export const imageDiff = Type.Object(
  {
    from: imageIdentity,
    to: imageIdentity,
    evidence: change(evidenceKind),
    complete: Type.Boolean({ description: 'false when a side could be read only in part' }),
    sameButForTimestamps: nullable(Type.Boolean()),
    packages: Type.Object(
      { added: Type.Array(imagePackage), removed: Type.Array(imagePackage), changed: Type.Array(packageChange) },
      closed,
    ),
    snapshot: nullable(snapshotIdentity),
    vulnerabilities: nullable(vulnerabilitiesDiff),
    newlyKnown: Type.Optional(newlyKnown),
    config: nullable(configDiff),
    platforms: nullable(setChange),
    layers: nullable(
      Type.Object({ shared: Type.Array(layer), added: Type.Array(layer), removed: Type.Array(layer) }, closed),
    ),
    size: Type.Object(
      { compressedBytes: change(amount), unpackedBytes: change(amount), packages: Type.Array(packageSizeChange) },
      closed,
    ),
    licenses: Type.Object({ gained: Type.Array(Type.String()), lost: Type.Array(Type.String()) }, closed),
    files: nullable(filesDiff),
    bytesFetched: Type.Integer(),
    warnings: Type.Array(Type.String()),
  },
  closed,
)

const interval = Type.String({ description: 'such as 7m30s' })
const perHour = (description: string) => Type.Number({ minimum: 0, description })
export const watchPlan = Type.Object(
  {
    hosts: Type.Array(
      Type.Object(
        {
          host: Type.String(),
          kind: nullable(Type.String({ description: 'whose software it is' })),
          tags: Type.Integer(),
          rules: Type.Integer(),
          looksPerHour: perHour('requests for single tags'),
          listsPerHour: perHour('requests for lists of tags'),
          requestsPerHour: nullable(perHour('what both may come to')),
          intervals: Type.Object({ shortest: interval, median: interval, longest: interval }, closed),
          lists: Type.Array(Type.Object({ repository: Type.String(), tags: Type.Integer(), every: interval }, closed), {
            description: 'repositories whose tags are known by one list',
          }),
          quota: nullable(
            Type.Object(
              {
                dialect: Type.String({ description: 'in whose words it is told' }),
                limit: nullable(Type.Number()),
                window: nullable(interval),
                countsLooks: nullable(Type.Boolean({ description: 'whether looks count against it' })),
              },
              closed,
            ),
          ),
          pausedUntil: nullable(time('until when the host asked to be left alone')),
          warnings: Type.Array(Type.String()),
          plannedTags: Type.Array(
            Type.Object({ reference: Type.String(), every: interval, given: nullable(interval) }, closed),
          ),
        },
        closed,
      ),
    ),
  },
  closed,
)

const origin = 'who declared it'
export const analyze = Type.Boolean({
  description: 'whether new digests are analyzed as they come, so that their diff is ready',
})
export const watchList = Type.Object(
  {
    watches: Type.Array(
      Type.Object(
        {
          reference: Type.String(),
          every: nullable(every),
          planned: nullable(interval),
          analyze: nullable(analyze),
          state: words(['unseen', 'present', 'absent', 'unknown'], 'what is known of the tag'),
          reason: nullable(Type.String({ description: 'why it is absent or unknown' })),
          since: time('since when the state is what it is'),
          digest: nullable(digest),
          checkedAt: nullable(time('the last look')),
          origin: words(['command', 'config', 'rule'], origin),
        },
        closed,
      ),
    ),
    rules: Type.Array(
      Type.Object(
        {
          repository: Type.String(),
          tags: Type.Array(Type.String()),
          exclude: Type.Array(Type.String()),
          every: nullable(every),
          analyze: nullable(analyze),
          maxTags: Type.Integer(),
          origin: words(['command', 'config'], origin),
        },
        closed,
      ),
    ),
  },
  closed,
)
export const watchAdded = Type.Object({ reference: Type.String(), added: Type.Boolean() }, closed)
export const watchRemoved = Type.Object({ reference: Type.String(), removed: Type.Boolean() }, closed)

export const deliveryState = words(['due', 'sent', 'dead'], 'to be sent, taken, or given up')
export const deliveryList = Type.Object(
  {
    deliveries: Type.Array(
      Type.Object(
        {
          id: Type.Integer(),
          channel: Type.String(),
          state: deliveryState,
          attempts: Type.Integer(),
          nextAt: nullable(time('when it is tried next')),
          fault: nullable(Type.String({ description: 'why the last attempt failed' })),
          event: Type.Object(
            { id: Type.Integer(), type: Type.String(), reference: Type.String(), at: time('when') },
            closed,
          ),
        },
        closed,
      ),
    ),
  },
  closed,
)
export const deliveriesReplayed = Type.Object({ replayed: Type.Integer() }, closed)

/** An error of the API: RFC 9457. */
export const problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'see docs/errors.md' }),
    fix: Type.String({ description: 'the next thing to do' }),
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  closed,
)
