import { create, toJson } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import { faultCodeOf } from '../../../test/support/fault-code.js'
import { ExchangeRequestSchema } from './generated/oidc_pb.js'
import { RepoFilterSchema, RepoSchema, TagFilterSchema, TagHistoryFilterSchema } from './generated/registry_pb.js'
import { readParameters } from './read-parameters.js'

const tags = (query: string) => {
  const message = create(TagFilterSchema)
  readParameters(TagFilterSchema, message, new URLSearchParams(query))
  return toJson(TagFilterSchema, message)
}

describe('parameters', () => {
  it.each([
    ['uidp.childrenOf=a', { uidp: { childrenOf: 'a' } }],
    ['uidp.children_of=a', { uidp: { childrenOf: 'a' } }],
    ['uidp.ids=a&uidp.ids=b', { uidp: { ids: ['a', 'b'] } }],
    ['excludeDates=1&exclude_epochs=T&excludeReferrers=False', { excludeDates: true, excludeEpochs: true }],
    ['updatedSince=2026-05-01T12:00:00.5%2B02:00', { updatedSince: '2026-05-01T10:00:00.500Z' }],
    ['updatedSince=2026-05-01T12:00:00+02:00', { updatedSince: '2026-05-01T10:00:00Z' }],
    ['updatedSince=2026-05-01T12:00:00.123456789Z', { updatedSince: '2026-05-01T12:00:00.123456789Z' }],
    ['name=a&unknown=1&uidp.unknown=2&uidp.childrenOf.deeper=3', { name: 'a' }],
    ['__proto__=1&constructor=2&toString=3', {}],
    [`${'a.'.repeat(10_000)}b=1`, {}],
  ])('%s', (query, expected) => {
    expect(tags(query)).toEqual(expected)
  })

  it.each([
    'name=a&name=a',
    'uidp.childrenOf=a&uidp.children_of=b',
    'excludeDates=yes',
    'excludeDates=',
    'updatedSince=2026-05-01',
    'updatedSince=2026-02-30T00:00:00Z',
    'updatedSince=2026-05-01T12:00:00',
    'updatedSince=now',
    'uidp=a',
  ])('%s is refused', async (query) => {
    expect(await faultCodeOf(Promise.resolve().then(() => tags(query)))).toBe('invalid-argument')
  })

  it('do not change what the path has filled', () => {
    const message = create(TagHistoryFilterSchema, { parentId: 'a' })
    const query = new URLSearchParams('parentId=b&parent_id=c&start=2026-05-01T00:00:00Z')
    readParameters(TagHistoryFilterSchema, message, query, new Set(['parent_id']))
    expect(message.parentId).toBe('a')
    expect(message.start?.seconds).toBe(1_777_593_600n)
  })

  it('fill lists, enums and flags', () => {
    const exchange = create(ExchangeRequestSchema)
    readParameters(ExchangeRequestSchema, exchange, new URLSearchParams('aud=a&aud=b&includeUpstreamToken=true'))
    expect(exchange).toMatchObject({ aud: ['a', 'b'], includeUpstreamToken: true })
    const repo = create(RepoSchema)
    readParameters(RepoSchema, repo, new URLSearchParams('catalogTier=BASE'))
    expect(repo.catalogTier).toBe(5)
    const filter = create(RepoFilterSchema)
    readParameters(RepoFilterSchema, filter, new URLSearchParams('uidp.inRoot=t'))
    expect(filter.uidp?.inRoot).toBe(true)
  })
})
