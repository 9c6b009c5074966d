import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { CheckReport } from '../client/src/index.js'
import { systemClock } from '../src/core/clock.js'
import { digestOf } from '../src/core/digest.js'
import { isFault } from '../src/core/fault.js'
import type { DigestStore } from '../src/store/digests/digest-store.js'
import { openDigestStore } from '../src/store/digests/list.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli } from './support/cli.js'
import { type DigestServer, password, startEtcd, startRedis } from './support/digest-servers.js'
import { faultCodeOf } from './support/fault-code.js'
import { leapingClock } from './support/leaping-clock.js'
import { describeWith, type Program } from './support/needs.js'
import { freePort } from './support/port.js'
import { startRelay } from './support/relay.js'
import { until } from './support/until.js'

const [one, two, three] = [digestOf('1'), digestOf('2'), digestOf('3')]
const servers: readonly (readonly [string, readonly Program[], () => Promise<DigestServer>])[] = [
  ['redis', ['redis-server'], () => startRedis()],
  ['redis with TLS and a password', ['redis-server', 'openssl'], () => startRedis({ secure: true })],
  ['etcd', ['etcd'], () => startEtcd()],
  ['etcd with TLS and a user', ['etcd', 'openssl'], () => startEtcd({ secure: true })],
]
const openStores: DigestStore[] = []
const open = (url: string, environment = {}, clock = systemClock) => {
  const store = openDigestStore(url, { clock, environment })
  openStores.push(store)
  return store
}
afterEach(async () => {
  for (const store of openStores.splice(0)) await store.close()
})
/** The URL with another parameter. */
const withParameter = (url: string, text: string) => `${url}${url.includes('?') ? '&' : '?'}${text}`

/** What every digest store must do. `url` gives one that nobody has written to. */
function contract(url: () => string): void {
  it('knows nothing, then what it was told, also when it is opened again', async () => {
    const place = url()
    const store = open(place)
    expect([...(await store.get(['a', 'b']))]).toEqual([])
    const refused = await store.update([
      { reference: 'a', from: null, to: one },
      { reference: 'b', from: null, to: two },
    ])
    expect([...refused]).toEqual([])
    expect([...(await open(place).get(['a', 'b', 'c']))]).toEqual([
      ['a', one],
      ['b', two],
    ])
  })

  it('sets only what is still as it was, and says what is not', async () => {
    const store = open(url())
    await store.update([{ reference: 'a', from: null, to: one }])
    const refused = await store.update([
      { reference: 'a', from: null, to: two },
      { reference: 'b', from: null, to: two },
    ])
    expect([...refused]).toEqual(['a'])
    expect([...(await store.get(['a', 'b']))]).toEqual([
      ['a', one],
      ['b', two],
    ])
    expect([...(await store.update([{ reference: 'a', from: one, to: three }]))]).toEqual([])
    expect([...(await store.update([{ reference: 'a', from: one, to: three }]))]).toEqual(['a'])
    expect([...(await store.update([{ reference: 'c', from: one, to: two }]))]).toEqual(['c'])
    expect([...(await store.get(['a', 'b', 'c']))]).toEqual([
      ['a', three],
      ['b', two],
    ])
  })

  it('loses nothing, and lets one of many have each reference, when they write at once', async () => {
    const place = url()
    const names = Array.from({ length: 40 }, (_, index) => `r${index}`)
    const changes = names.map((reference) => ({ reference, from: null, to: one }))
    const refused = await Promise.all([1, 2, 3, 4].map(() => open(place).update(changes)))
    for (const name of names) expect(refused.filter((set) => !set.has(name))).toHaveLength(1)
    expect((await open(place).get(names)).size).toBe(40)
  })

  it('takes thousands of references, with any character that one may have', async () => {
    const store = open(url())
    const names = Array.from({ length: 2_345 }, (_, index) => `[::1]:5000/a__b/c.d-e/${index}:V_1.0-${'x'.repeat(90)}`)
    for (let start = 0; start < names.length; start += Math.min(store.maxChanges, 1_000)) {
      const part = names.slice(start, start + Math.min(store.maxChanges, 1_000))
      await store.update(part.map((reference) => ({ reference, from: null, to: one })))
    }
    expect([...(await store.get(names)).keys()]).toEqual(names)
  })
}

describe('digest store: file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-digests-'))
  let count = 0
  afterAll(() => rmSync(folder, { recursive: true }))
  contract(() => `file:${join(folder, `${++count}.json`)}`)
})

for (const [name, programs, start] of servers) {
  describeWith({ programs }, `digest store: ${name}`, () => {
    let server: DigestServer
    let count = 0
    const fresh = () => withParameter(server.url, `prefix=${encodeURIComponent(`t${++count}/`)}`)
    beforeAll(async () => {
      server = await start()
    })
    afterAll(() => server.close())
    contract(fresh)

    it('keeps prefixes apart', async () => {
      const [left, right] = [open(fresh()), open(fresh())]
      await left.update([{ reference: 'a', from: null, to: one }])
      expect((await right.get(['a'])).size).toBe(0)
    })

    it('forgets after the time to live what nobody asked for, and keeps what somebody did', async () => {
      const place = withParameter(fresh(), 'ttl=3s')
      const store = open(place)
      await store.update([
        { reference: 'asked', from: null, to: one },
        { reference: 'left', from: null, to: one },
      ])
      // The servers count by clocks of their own: two and a half times the time to live pass.
      for (let round = 0; round < 8; round++) {
        await new Promise((done) => setTimeout(done, 1_000))
        expect((await store.get(['asked'])).get('asked')).toBe(one)
      }
      expect([...(await store.get(['asked', 'left'])).keys()]).toEqual(['asked'])
    })

    it('is not there when it is stopped, and has everything when it is back', async () => {
      const place = fresh()
      const store = open(place)
      await store.update([{ reference: 'a', from: null, to: one }])
      await server.stop()
      expect(await faultCodeOf(store.get(['a']))).toBe('store-unavailable')
      expect(await faultCodeOf(store.update([{ reference: 'a', from: one, to: two }]))).toBe('store-unavailable')
      await server.start()
      expect((await open(place).get(['a'])).get('a')).toBe(one)
    })

    if (!name.includes('TLS')) {
      it('writes nothing for what was asked for a moment ago', async () => {
        const clock = leapingClock()
        const place = withParameter(fresh(), 'ttl=30d')
        const store = open(place, {}, clock)
        await store.update([{ reference: 'a', from: null, to: one }])
        const relay = await startRelay(server.port)
        const through = open(place.replace(`:${server.port}`, `:${relay.port}`), {}, clock)
        await through.get(['a'])
        const quiet = relay.sentBytes()
        await through.get(['a'])
        const asking = relay.sentBytes() - quiet
        clock.advance(8 * 86_400_000)
        await through.get(['a'])
        expect(relay.sentBytes() - quiet - asking).toBeGreaterThan(asking * 2)
        await relay.close()
      })

      it('knows its own writing again when the answer to it is lost on the way', async () => {
        const relay = await startRelay(server.port)
        const place = fresh()
        const store = open(place.replace(`:${server.port}`, `:${relay.port}`))
        await store.get(['a'])
        // The request that writes is the second of an update; its answer never comes.
        relay.cutAnswer(2)
        const refused = await store.update([{ reference: 'a', from: null, to: one }])
        expect(relay.cuts()).toBe(1)
        expect([...refused]).toEqual([])
        expect((await open(place).get(['a'])).get('a')).toBe(one)
        await relay.close()
      })

      it('leaves alone what is none of its own', async () => {
        const place = fresh()
        const prefix = new URL(place).searchParams.get('prefix')
        for (const value of ['sha256:x', '{}', `{"digest":"${one}"}`, '']) {
          await server.put(`${prefix}a`, value)
          expect(await faultCodeOf(open(place).get(['a'])), value).toBe('store-damaged')
          expect(await faultCodeOf(open(place).update([{ reference: 'a', from: null, to: one }]))).toBe('store-damaged')
        }
      })
      return
    }

    it('takes user and password from the environment, and refuses wrong ones without showing them', async () => {
      const bare = fresh().replace(/\/\/[^@]*@/, '//')
      const user = name.startsWith('etcd') ? { TIDEMARK_STORE_USER: 'root' } : {}
      const store = open(bare, { ...user, TIDEMARK_STORE_PASSWORD: password })
      expect((await store.get(['a'])).size).toBe(0)
      for (const wrong of [{}, { ...user, TIDEMARK_STORE_PASSWORD: 'wr0ng-secret' }]) {
        const fault: unknown = await open(bare, wrong)
          .get(['a'])
          .catch((error: unknown) => error)
        if (!isFault(fault)) throw fault
        expect([fault.code, fault.fix]).toEqual(['store-unavailable', expect.stringMatching(/TIDEMARK_STORE_PASSWORD/)])
        expect(shownOf(fault)).not.toMatch(/wr0ng-secret/)
      }
    })

    it('wants a certificate that it trusts', async () => {
      const bare = server.url.replace(/\?.*/, '')
      const fault: unknown = await open(bare)
        .get(['a'])
        .catch((error: unknown) => error)
      if (!isFault(fault)) throw fault
      expect([fault.code, fault.fix]).toEqual(['store-unavailable', expect.stringMatching(/ca=FILE/)])
      expect(shownOf(fault)).not.toContain(password)
      expect((await open(bare, { SSL_CERT_FILE: server.ca ?? '' }).get(['a'])).size).toBe(0)
      const plain = bare.replace('rediss:', 'redis:').replace('etcds:', 'etcd:')
      expect(await faultCodeOf(open(plain).get(['a']))).toBe('store-unavailable')
    })
  })
}

describeWith({ programs: ['redis-server', 'etcd'] }, 'check with a store', () => {
  let registry: TestRegistry
  let redis: DigestServer
  let etcd: DigestServer
  let count = 0
  const stores = () => {
    const prefix = `prefix=c${++count}/`
    return [redis, etcd].map(({ url }) => withParameter(url, prefix))
  }
  beforeAll(async () => {
    ;[registry, redis, etcd] = await Promise.all([startTestRegistry(), startRedis(), startEtcd()])
  })
  afterAll(async () => {
    await Promise.all([registry?.close(), redis?.close(), etcd?.close()])
  })
  const tag = () => `${registry.address}/library/alpine:3.10`
  /** Moves the tag, back and forth. */
  const flip = () => {
    const tags = registry.content.repository('library/alpine').tags
    const now = tags.get('3.10')
    if (registry.move('library/alpine:3.10') === undefined) tags.set('3.10', before as never)
    before = now
  }
  let before: string | undefined
  const statuses = async (...args: string[]) => {
    const { results } = (await createCli().json('check', ...args)) as CheckReport
    return results.map(({ status, reason }) => reason ?? status)
  }

  it('tells new, same and moved across machines, by --store and by $TIDEMARK_STORE', async () => {
    for (const store of stores()) {
      expect(await statuses(tag(), '--store', store)).toEqual(['new'])
      expect(await statuses(tag(), '--store', store)).toEqual(['same'])
      flip()
      const cli = createCli({ TIDEMARK_STORE: store })
      expect((await cli.run('check', tag())).code).toBe(10)
      expect((await cli.run('check', tag())).code).toBe(0)
      expect(existsSync(join(cli.home, 'data', 'check.json'))).toBe(false)
    }
  })

  it('tells one of two checks at once with --once, and both without', async () => {
    for (const store of stores()) {
      await statuses(tag(), '--store', store)
      for (const [options, told] of [
        [['--once'], 1],
        [[], 8],
      ] as const) {
        flip()
        // The looks take long enough for all to have read what was known before.
        const rule = { when: { method: 'HEAD' }, do: { delay: '300ms' } }
        registry.setScript({ rules: [rule] })
        const all = await Promise.all(Array.from({ length: 8 }, () => statuses(tag(), '--store', store, ...options)))
        registry.setScript({})
        expect(all.flat().filter((status) => status === 'moved')).toHaveLength(told)
        expect(all.flat().filter((status) => status === 'same')).toHaveLength(8 - told)
      }
    }
  })

  it('ends with 20 when the store goes away before it can remember, and tells the move next time', async () => {
    for (const [server, store] of stores().map(
      (store, index) => [[redis, etcd][index] as DigestServer, store] as const,
    )) {
      await statuses(tag(), '--store', store)
      flip()
      const { connections } = registry.requests
      registry.setScript({ rules: [{ when: { method: 'HEAD' }, do: { delay: '1s' } }] })
      const checking = createCli().run('check', tag(), '--store', store)
      await until('the check to ask the registry', () => registry.requests.connections > connections)
      await server.stop()
      const { code, stdout, stderr } = await checking
      expect([code, stdout]).toEqual([20, expect.stringMatching(/unknown .*sha256:\w+ +sha256:\w+ +store/)])
      expect(stderr).toMatch(/^warning: /)
      registry.setScript({})
      await server.start()
      expect(await statuses(tag(), '--store', store)).toEqual(['moved'])
    }
  })

  it('ends with 20 and says `store` for each reference when the store is down, and asks nobody', async () => {
    const port = await freePort()
    for (const scheme of ['redis', 'etcd']) {
      registry.requests.clear()
      const cli = createCli()
      const { code, stdout, stderr } = await cli.run('check', tag(), '--store', `${scheme}://:s3cret@127.0.0.1:${port}`)
      expect([code, stdout]).toEqual([20, expect.stringMatching(/unknown.*store/)])
      expect(stderr).toMatch(/^warning: .*refuses connections.*Check host and port/)
      expect(stdout + stderr).not.toContain('s3cret')
      expect(registry.requests.latest()).toEqual([])
    }
  })

  it.each([
    ['redis://', /names no host|not a store/],
    ['redis:', /not a store: 'redis:…'/],
    ['redis://h/x', /number of a database/],
    ['etcd://h/x', /no path/],
    ['redis://h?nonsense=1', /unknown parameter 'nonsense'.*prefix, ttl/],
    ['redis://h?ttl=1', /not a duration/],
    ['redis://h?ttl=0s', /ttl lies between 1s/],
    ['redis://h?ca=/x', /certificates are for TLS.*rediss:/],
    ['rediss://h?ca=/none/ca.pem', /cannot read the certificate file/],
    ['s3://user:s3cret@h', /not a store: 's3:…'/],
  ])('refuses %s', async (store, message) => {
    const { code, stdout, stderr } = await createCli().run('check', tag(), '--store', store)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('s3cret')
  })
})

/** Everything that a fault may show, its causes with it. */
function shownOf(error: unknown): string {
  const seen: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) {
    seen.push(at.stack ?? '', JSON.stringify(at), JSON.stringify(Object.values(at)))
  }
  return seen.join('\n')
}
