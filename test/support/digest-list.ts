import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Cost, noCost } from '../../src/core/cost.js'
import { type Fault, isFault } from '../../src/core/fault.js'
import { parseRepository } from '../../src/core/reference.js'
import type { TagAssignment } from '../../src/core/tag-assignment.js'
import { createRegistry, type Registry } from '../../src/registry/registry.js'
import type { Call } from '../../src/registry/request.js'
import type { RegistriesSettings } from '../../src/registry/settings.js'
import { type CloudAnswer, type CloudRequest, type CloudServer, startCloudServer } from './cloud-server.js'
import { type LeapingClock, leapingClock } from './leaping-clock.js'

/** A registry's own API, and how it is spoken to. */
export interface ListedRegistry {
  /** As it is documented. */
  answer(request: CloudRequest): CloudAnswer | Promise<CloudAnswer>
  settings(server: CloudServer): RegistriesSettings
  repository(server: CloudServer): string
  readonly environment?: (server: CloudServer) => Readonly<Record<string, string>>
}

/** One that is running. */
export interface ListServer {
  readonly server: CloudServer
  readonly clock: LeapingClock
  /** Answers that come before the usual ones, for requests that ask for a page. */
  readonly planned: ((request: CloudRequest) => CloudAnswer)[]
  open(settings?: RegistriesSettings, environment?: Readonly<Record<string, string>>): Registry
  /** All pages; null where there is no list. */
  pages(registry?: Registry, call?: Partial<Call>, name?: string): Promise<(readonly TagAssignment[])[] | null>
  /** The entries of all pages, `tag digest pushedAt`. */
  entries(registry?: Registry, call?: Partial<Call>, name?: string): Promise<string[] | null>
  fault(registry?: Registry, call?: Partial<Call>): Promise<Fault>
}

/**
 * Starts one before each test of a file, and closes it with all that was opened.
 * @param isPage which requests ask for a page of the list
 */
export function listServer(listed: ListedRegistry, isPage: (request: CloudRequest) => boolean): ListServer {
  let server: CloudServer
  let clock: LeapingClock
  let opened: Registry[] = []
  const planned: ListServer['planned'] = []
  beforeEach(async () => {
    clock = leapingClock()
    planned.length = 0
    server = await startCloudServer((request) => {
      const plan = isPage(request) ? planned.shift() : undefined
      return plan === undefined ? listed.answer(request) : plan(request)
    })
  })
  afterEach(async () => {
    for (const registry of opened) registry.close()
    opened = []
    await server.close()
  })
  const one: ListServer = {
    get server() {
      return server
    },
    get clock() {
      return clock
    },
    planned,
    open(registries = listed.settings(server), environment = listed.environment?.(server) ?? {}) {
      const home = { HOME: '/nowhere', AWS_EC2_METADATA_DISABLED: 'true' }
      const registry = createRegistry({
        ...{ clock, registries, environment: { ...home, ...environment } },
        random: () => 0.5,
      })
      opened.push(registry)
      return registry
    },
    async pages(registry = one.open(), call = {}, name = listed.repository(server)) {
      const list = await registry.listDigests(parseRepository(name), { cost: noCost(), ...call })
      if (list === null) return null
      const pages: (readonly TagAssignment[])[] = []
      for await (const page of list) pages.push(page)
      return pages
    },
    async entries(registry, call, name) {
      const pages = await one.pages(registry, call, name)
      return pages?.flat().map(({ tag, digest, pushedAt }) => `${tag} ${digest} ${pushedAt}`) ?? null
    },
    async fault(registry, call) {
      try {
        await one.pages(registry, call)
      } catch (error) {
        if (isFault(error)) return error
        throw error
      }
      throw new Error('no fault')
    },
  }
  return one
}

/** What every list must bear. */
export interface Hostility {
  /** Pages whose entries name tags, and none of them can be read. */
  readonly unreadable: object
  /** What is JSON and no page. */
  readonly noPages: readonly (object | string)[]
  /** The n-th page of a list without an end; each names the next. */
  endless(n: number, server: CloudServer): CloudAnswer
  /** A page whose next is on `other`; where pages name no URL, left out. */
  readonly nextOn?: (other: string) => CloudAnswer
  /** Whether a page is asked for by POST, whose redirects are not followed. */
  readonly isPost?: boolean
}

/** The tests that are the same for all lists. */
export function bearsHostileAnswers(one: ListServer, hostility: Hostility): void {
  const { unreadable, noPages, endless, nextOn, isPost = false } = hostility

  it.each([401, 403, 404])(
    'says with %i that the list is not for us, and nothing about the repository',
    async (status) => {
      one.planned.push(...Array.from({ length: 4 }, () => () => ({ status, body: { message: 'no' } })))
      const fault = await one.fault()
      expect(fault.code).toBe('denied')
      expect(fault.fix).not.toBe('')
    },
  )

  it('waits as long as it is asked to, or says until when', async () => {
    const refused = () => ({ status: 429, headers: { 'retry-after': '30' } })
    one.planned.push(refused)
    const at = one.clock.now()
    const fault = await one.fault(undefined, { maxWaitMs: 1_000 })
    expect([fault.code, fault.data.until]).toEqual(['rate-limited', at + 30_000])
    one.planned.push(refused)
    const usual = await one.entries()
    expect(usual?.length).toBeGreaterThan(0)
    expect(one.clock.now()).toBeGreaterThanOrEqual(at + 30_000)
  })

  it('takes neither a page for people, nor other JSON, nor ten megabytes of something else for a list', async () => {
    for (const body of ['<html>Log in</html>', '', 'x'.repeat(10_000_000), ...noPages]) {
      one.planned.push(() => ({ body }))
      expect((await one.fault()).code).toBe('broken-answer')
    }
    one.planned.push(() => ({ body: `[${' '.repeat(17 * 1024 * 1024)}]` }))
    expect((await one.fault()).code).toBe('too-large')
    one.planned.push(() => ({ body: unreadable }))
    expect(await one.fault()).toMatchObject({
      code: 'broken-answer',
      message: expect.stringMatching(/none can be read/),
    })
  })

  it('stops where pages go in circles or have no end', async () => {
    let asked = 0
    const plan = () => {
      one.planned.push(plan)
      return endless(++asked, one.server)
    }
    one.planned.push(plan)
    const cost: Cost = noCost()
    expect((await one.fault(undefined, { cost })).code).toBe('broken-answer')
    expect(cost.requests).toBeGreaterThan(900)
    expect(cost.requests).toBeLessThan(1_100)
    one.planned.length = 0
    const first = endless(1, one.server)
    one.planned.push(...Array.from({ length: 5 }, () => () => first))
    expect(await one.fault()).toMatchObject({ message: expect.stringMatching(/goes in circles/) })
  })

  it('sends no credentials to where it is redirected, and follows no next page there', async () => {
    const other = await startCloudServer(() => nextOn?.(other.url) ?? { body: unreadable })
    one.planned.push(() => ({ status: 302, headers: { location: `${other.url}/elsewhere` } }))
    await one.pages().catch((error: unknown) => expect(isFault(error)).toBe(true))
    expect(other.requests).toHaveLength(isPost ? 0 : 1)
    for (const { headers } of other.requests) {
      expect(Object.keys(headers).filter((name) => /^(authorization|cookie|x-amz-)/.test(name))).toEqual([])
    }
    if (nextOn !== undefined) {
      const seen = other.requests.length
      one.planned.push(() => nextOn(other.url))
      expect(await one.fault()).toMatchObject({
        code: 'broken-answer',
        message: expect.stringMatching(/another origin/),
      })
      expect(other.requests).toHaveLength(seen)
    }
    await other.close()
  })
}

/** `sha256:aaaa…` */
export function digest(letter: string): string {
  return `sha256:${letter.repeat(64)}`
}
