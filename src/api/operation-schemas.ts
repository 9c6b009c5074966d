import { Type } from 'typebox'
import type { CallName } from '../../client/src/index.js'
import { define, type OperationSchemas } from './define-operation.js'
import { iamOperationSchemas } from './iam-operation-schemas.js'
import * as schemas from './schemas.js'

const { closed } = schemas
const optional = Type.Optional

const globs = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 100, description })
const time = (description: string) => optional(Type.String({ description, examples: ['2026-05-01'] }))

/** The schemas of every operation, which are the client's types: the compiler proves it. */
export const operationSchemas: { readonly [Name in CallName]: OperationSchemas } = {
  digest: define(
    'digest',
    Type.Object(
      {
        reference: schemas.revision,
        platform: optional(schemas.platform),
        omitPlatforms: optional(
          Type.Boolean({
            description: 'leave the platforms of an index out: one HEAD, and no GET that counts as a pull',
          }),
        ),
      },
      closed,
    ),
    schemas.digestResult,
    true,
  ),
  check: define(
    'check',
    Type.Object(
      {
        reference: Type.Array(schemas.reference, { minItems: 1, maxItems: 10_000 }),
        since: optional(schemas.digest),
        once: optional(
          Type.Boolean({ description: 'of checks that run at once, tell only one that a tag moved, or is new' }),
        ),
      },
      closed,
    ),
    schemas.checkReport,
    true,
  ),
  tags: define(
    'tags',
    Type.Object(
      {
        repository: schemas.repository,
        omitDigestTags: optional(
          Type.Boolean({ description: 'leave out tags that stand in for digests, such as sha256-….sig' }),
        ),
      },
      closed,
    ),
    schemas.tagList,
    true,
  ),
  packages: define(
    'packages',
    Type.Object(
      {
        source: schemas.revision,
        platform: optional(schemas.platform),
        evidence: optional(schemas.evidenceWish),
      },
      closed,
    ),
    schemas.packageList,
    true,
  ),
  diff: define(
    'diff',
    Type.Object(
      {
        from: schemas.revision,
        to: schemas.revision,
        platform: optional(schemas.platform),
        files: optional(Type.Boolean({ description: 'compare every file too: reads the layers for their contents' })),
        evidence: optional(schemas.evidenceWish),
        since: optional(
          Type.String({
            minLength: 1,
            maxLength: 4096,
            description: 'the id of an older snapshot: what only newer data say of the second image is told too',
          }),
        ),
      },
      closed,
    ),
    schemas.imageDiff,
    true,
  ),
  scan: define(
    'scan',
    Type.Object(
      { source: schemas.revision, platform: optional(schemas.platform), evidence: optional(schemas.evidenceWish) },
      closed,
    ),
    schemas.scanReport,
    true,
  ),
  explain: define(
    'explain',
    Type.Object(
      {
        id: Type.String({
          minLength: 1,
          maxLength: 200,
          description: 'any name of the vulnerability',
          examples: ['CVE-2024-3094'],
        }),
        source: schemas.revision,
        platform: optional(schemas.platform),
        evidence: optional(schemas.evidenceWish),
      },
      closed,
    ),
    schemas.explanation,
    true,
  ),
  watchAdd: define(
    'watchAdd',
    Type.Object(
      {
        reference: schemas.reference,
        every: optional(schemas.every),
        analyze: optional(schemas.analyze),
      },
      closed,
    ),
    schemas.watchAdded,
    true,
  ),
  watchAddRule: define(
    'watchAddRule',
    Type.Object(
      {
        repository: schemas.repository,
        tags: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
          minItems: 1,
          maxItems: 100,
          description: 'globs of tags to follow',
        }),
        exclude: optional(globs('globs of tags to leave out')),
        every: optional(schemas.every),
        analyze: optional(schemas.analyze),
        maxTags: optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
      },
      closed,
    ),
    schemas.watchAdded,
    true,
  ),
  plan: define(
    'plan',
    Type.Object(
      {
        host: optional(Type.String({ maxLength: 255, description: 'one registry only' })),
        tags: optional(Type.Boolean({ description: 'tell how often each tag is looked at' })),
      },
      closed,
    ),
    schemas.watchPlan,
    true,
  ),
  watchList: define('watchList', Type.Unsafe<Record<string, never>>(Type.Object({}, closed)), schemas.watchList, true),
  watchRemove: define(
    'watchRemove',
    Type.Object(
      {
        reference: schemas.reference,
        rule: optional(
          Type.Boolean({ description: 'the reference is a repository whose tags are no longer to be followed' }),
        ),
      },
      closed,
    ),
    schemas.watchRemoved,
    true,
  ),
  history: define(
    'history',
    Type.Object(
      {
        reference: schemas.revision,
        start: time('from this time on'),
        end: time('before this time'),
        limit: optional(schemas.limit),
        order: optional(schemas.order),
        cursor: optional(schemas.cursor),
      },
      closed,
    ),
    schemas.history,
    true,
  ),
  historyExport: define(
    'historyExport',
    Type.Object({ reference: schemas.reference }, closed),
    schemas.historyExport,
    true,
  ),
  historyImport: define('historyImport', schemas.historyImport, schemas.historyImportResult, true),
  deliveriesList: define(
    'deliveriesList',
    Type.Object(
      {
        state: optional(schemas.deliveryState),
        channel: optional(Type.String()),
        limit: optional(schemas.limit),
        cursor: optional(schemas.cursor),
      },
      closed,
    ),
    schemas.deliveryList,
    true,
  ),
  deliveriesReplay: define(
    'deliveriesReplay',
    Type.Object(
      {
        id: optional(Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 1_000 })),
        channel: optional(Type.String()),
      },
      closed,
    ),
    schemas.deliveriesReplayed,
    true,
  ),
  ...iamOperationSchemas,
}
