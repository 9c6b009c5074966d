import { create, toJson } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { describe, expect, it } from 'vitest'
import { toGatewayJson } from './gateway-json.js'
import { GroupSchema, IdentitySchema } from './generated/iam_pb.js'
import {
  DiffImageResponseSchema,
  ImageConfigSchema,
  RepoSchema,
  SizeSchema,
  TagHistorySchema,
} from './generated/registry_pb.js'

describe('the JSON of the gateway', () => {
  it('has every field, in the order of the declaration, with sync_config as the one exception to camel case', () => {
    const body = JSON.stringify(toGatewayJson(RepoSchema, create(RepoSchema, { id: 'a', name: 'nginx' })))
    expect(body).toBe(
      '{"id":"a","name":"nginx","catalogTier":"UNKNOWN","bundles":[],"readme":"","sync_config":null,"customOverlay":null,' +
        '"aliases":[],"createTime":null,"activeTags":[],"description":""}',
    )
  })

  it('is camel case within sync_config', () => {
    const repo = create(RepoSchema, { syncConfig: { source: 's', uniqueTags: true, expiration: timestampFromMs(0) } })
    expect(toGatewayJson(RepoSchema, repo)).toMatchObject({
      sync_config: { source: 's', uniqueTags: true, expiration: '1970-01-01T00:00:00Z', gracePeriod: false },
    })
  })

  it('has null for messages, and empty lists, all the way down', () => {
    expect(toGatewayJson(DiffImageResponseSchema, create(DiffImageResponseSchema, { packages: {} }))).toEqual({
      packages: { added: [], removed: [], changed: [] },
      vulnerabilities: null,
      config: null,
      warnings: [],
    })
  })

  it('writes 64-bit numbers as strings, enums by name, unknown ones by number, maps sorted', () => {
    expect(toGatewayJson(SizeSchema, create(SizeSchema, { size: 2n ** 53n }))).toEqual({
      size: '9007199254740992',
      arch: '',
    })
    const group = create(GroupSchema, { resourceLimits: { b: 2, a: 1 }, status: 2, kind: 99 as never })
    expect(JSON.stringify(toGatewayJson(GroupSchema, group))).toBe(
      '{"id":"","name":"","description":"","resourceLimits":{"a":1,"b":2},"verified":false,"kind":99,"status":"ORG_STATUS_READY"}',
    )
    const config = create(ImageConfigSchema, { exposedPorts: { '80/tcp': {} } })
    expect(toGatewayJson(ImageConfigSchema, config)).toMatchObject({ exposedPorts: { '80/tcp': {} }, volumes: {} })
  })

  it.each([
    [{ seconds: 1n, nanos: 0 }, '1970-01-01T00:00:01Z'],
    [{ seconds: 1n, nanos: 500_000_000 }, '1970-01-01T00:00:01.500Z'],
    [{ seconds: 1n, nanos: 123_456_000 }, '1970-01-01T00:00:01.123456Z'],
    [{ seconds: 1n, nanos: 123_456_789 }, '1970-01-01T00:00:01.123456789Z'],
  ])('writes a time with 0, 3, 6 or 9 digits', (updateTimestamp, text) => {
    const entry = create(TagHistorySchema, { updateTimestamp, digest: 'd' })
    expect(toGatewayJson(TagHistorySchema, entry)).toEqual({ updateTimestamp: text, digest: 'd' })
  })

  it('leaves out the members of a oneof that are not set, and has the one that is', () => {
    const claimMatch = { iss: { case: 'issuer', value: 'https://a.example' } } as const
    const identity = create(IdentitySchema, { relationship: { case: 'claimMatch', value: claimMatch } })
    const body = toGatewayJson(IdentitySchema, identity)
    expect(Object.keys(body as object)).toEqual([
      ...['id', 'name', 'description', 'createdAt', 'updatedAt', 'lastSeen', 'claimMatch'],
    ])
    expect(body).toMatchObject({ claimMatch: { issuer: 'https://a.example', claims: {}, claimPatterns: {} } })
    expect(JSON.stringify(body)).not.toContain('subject')
  })

  it('says of what is set just what the library says', () => {
    const config = create(ImageConfigSchema, {
      ...{ user: '65532', env: ['A=b'], entrypoint: ['/x'], cmd: ['-v'], workingDir: '/', stopSignal: 'SIGTERM' },
      ...{ exposedPorts: { '80/tcp': {} }, volumes: { '/data': {} }, labels: { a: 'b' } },
    })
    expect(toGatewayJson(ImageConfigSchema, config)).toEqual(toJson(ImageConfigSchema, config))
  })
})
