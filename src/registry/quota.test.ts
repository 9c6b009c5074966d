import { expect, it } from 'vitest'
import { HeadCount, readQuota } from './quota.js'

const now = Date.UTC(2026, 4, 1)
const answer = (headers: Record<string, string>, status = 200, body = '') => ({
  status,
  headers,
  body: Buffer.from(body),
})
const unknown = { limit: null, windowMs: null, remaining: null, resetAt: null }

it.each([
  // docs.docker.com, "Pull usage and limits".
  [
    'docker-hub',
    { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' },
    { limit: 100, windowMs: 21_600_000, remaining: 76, resetAt: null },
  ],
  // draft-ietf-httpapi-ratelimit-headers-10, section 3.
  [
    'ietf',
    { ratelimit: '"default";r=50;t=30', 'ratelimit-policy': '"default";q=100;w=60' },
    { limit: 100, windowMs: 60_000, remaining: 50, resetAt: now + 30_000 },
  ],
  // The same, draft 7, section 1.1.
  [
    'ietf',
    { ratelimit: 'limit=100, remaining=50, reset=50', 'ratelimit-policy': '100;w=60' },
    { limit: 100, windowMs: 60_000, remaining: 50, resetAt: now + 50_000 },
  ],
  // The same, draft 2, section 1.2.
  [
    'ietf',
    { 'ratelimit-limit': '100, 100;w=10', 'ratelimit-remaining': '50', 'ratelimit-reset': '50' },
    { limit: 100, windowMs: 10_000, remaining: 50, resetAt: now + 50_000 },
  ],
  // docs.gitlab.com, "Rate limits", "Response headers".
  [
    'gitlab',
    {
      'ratelimit-limit': '60',
      'ratelimit-name': 'throttle_authenticated_web',
      'ratelimit-observed': '67',
      'ratelimit-remaining': '0',
      'ratelimit-reset': '1609844400',
    },
    { limit: 60, windowMs: 60_000, remaining: 0, resetAt: 1_609_844_400_000 },
  ],
  // hub.docker.com, and docs.github.com, "Rate limits for the REST API".
  [
    'x-ratelimit',
    { 'x-ratelimit-limit': '180', 'x-ratelimit-remaining': '179', 'x-ratelimit-reset': '1777593660' },
    { limit: 180, windowMs: null, remaining: 179, resetAt: 1_777_593_660_000 },
  ],
] as const)('reads what %s says: %j', (dialect, headers, said) => {
  expect(readQuota(answer({ ...headers }), null, now)).toEqual({ dialect, ...said })
})

it('reads a refusal, which may be all that a host says', () => {
  const ghcr = '{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 880.092µs, allowed: 44000/minute"}]}'
  expect(readQuota(answer({}, 429, ghcr), 'ghcr', now)).toEqual({
    ...unknown,
    dialect: 'ghcr',
    limit: 44_000,
    windowMs: 60_000,
  })
  expect(readQuota(answer({}, 429, '{"__type":"ThrottlingException"}'), null, now)).toEqual({
    ...unknown,
    dialect: 'ecr',
  })
  expect(readQuota(answer({ 'retry-after': '9' }, 429), 'acr', now)).toEqual({ ...unknown, dialect: 'acr' })
  expect(readQuota(answer({}, 429), 'quay', now)).toEqual({ ...unknown, dialect: 'quay' })
  expect(readQuota(answer({ 'retry-after': '9' }, 429), null, now)).toEqual({ ...unknown, dialect: 'retry-after' })
  expect(readQuota(answer({}, 429), null, now)).toEqual({ ...unknown, dialect: 'unnamed' })
  expect(readQuota(answer({}), 'quay', now)).toBeNull()
})

it('takes nothing for a number that is none', () => {
  for (const nonsense of ['', 'many', '-5', '99999999999999999999', '{}']) {
    const quota = readQuota(answer({ 'ratelimit-limit': nonsense, 'ratelimit-remaining': nonsense }), null, now)
    expect(quota?.remaining ?? null).toSatisfy((value) => value === null || Number.isSafeInteger(value))
  }
})

it('finds out whether looks count, also where answers come in another order', () => {
  const run = (remaining: (index: number) => number) => {
    const count = new HeadCount()
    let found: boolean | null = null
    for (let index = 0; index < 200; index++) found = count.observe('HEAD', remaining(index)) ?? found
    return found
  }
  expect(run((index) => 5_000 - index)).toBe(true)
  expect(run((index) => 5_000 - (index ^ 1))).toBe(true)
  expect(run(() => 76)).toBe(false)
  // Every other request is somebody else's GET: nothing can be said.
  const count = new HeadCount()
  for (let index = 0; index < 200; index++) {
    expect(count.observe(index % 2 === 0 ? 'HEAD' : 'GET', 5_000 - index)).toBeNull()
  }
})
