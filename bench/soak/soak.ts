import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '../../src/core/clock.js'
import { seededRandom } from '../../src/core/random.js'
import { formatReference } from '../../src/core/reference.js'
import { openStore } from '../../src/store/open.js'
import type { Store } from '../../src/store/store.js'
import type { Script } from '../../src/test-registry/script.js'
import { Moves } from './moves.js'
import { UnrulyRegistry } from './unruly-registry.js'
import { type Absence, judge, type Verdict } from './verdict.js'

/** How a soak goes. */
export interface SoakOptions {
  readonly seed: number
  readonly tags: number
  /** How long tags are moved, once all were seen. */
  readonly seconds: number
  readonly everyMs: number
  readonly errorShare: number
  /** Times that the watcher is killed. */
  readonly kills: number
  readonly say: (text: string) => void
}

/** What a soak came to. */
export interface SoakReport extends Verdict {
  readonly looks: number
  readonly lists: number
  readonly requests: number
  readonly made: number
  readonly errors: number
  readonly pauses: number
  readonly inFlight: number
  readonly undercuts: readonly string[]
  readonly kills: number
  readonly meanDetectionMs: number
  /** What the watchers have logged as errors, at most so many lines. */
  readonly log: readonly string[]
}

const tickMs = 50
/** A host without anything, one with Bearer tokens, and lists that say what their tags point at, with and without tokens. */
const hosts: readonly Script[] = [
  {},
  { auth: 'bearer', tokenLifetime: '20s' },
  { digests: 'live', pageSize: 60 },
  { auth: 'bearer', tokenLifetime: '1h', digests: 'live' },
]
/** A pause is stored by the loop that comes round every half second: what a killed watcher has heard just before is lost. */
const storedAfterMs = 2_000

/** Lets a watcher watch registries that misbehave by the seed, and holds what it has written against the truth. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const place = mkdtempSync(join(tmpdir(), 'tidemark-soak-'))
  const soak = new Soak(options, place)
  try {
    return await soak.run()
  } finally {
    await soak.close()
    rmSync(place, { recursive: true, force: true })
  }
}

class Soak {
  readonly #options: SoakOptions
  readonly #place: string
  readonly #random: () => number
  readonly #registries: UnrulyRegistry[]
  readonly #absences: Absence[] = []
  readonly #log: string[] = []
  readonly #watched = { looks: 0, lists: 0 }
  readonly #detections: number[] = []
  #store: Store | null = null
  #watcher: { readonly child: ChildProcess; readonly url: string } | null = null
  #lastEvent = 0

  constructor(options: SoakOptions, place: string) {
    this.#options = options
    this.#place = place
    this.#random = seededRandom(options.seed)
    this.#registries = hosts.map((script, index) => {
      const random = seededRandom(options.seed * 31 + index)
      return new UnrulyRegistry({ errorShare: options.errorShare, random, script })
    })
  }

  async run(): Promise<SoakReport> {
    const { tags, seconds, everyMs, say } = this.#options
    for (const registry of this.#registries) await registry.listen()
    const moves = new Moves(this.#registries, tags, this.#random)
    const store = await this.#declare(moves)
    await this.#start()
    say(`${tags} tags on ${hosts.length} hosts, each looked at every ${everyMs / 1_000} s`)
    await this.#await(moves, store, 'the first pass')
    say(`all were seen; ${seconds} s of moves begin`)
    await this.#unrest(moves, store)
    moves.endOutages(0)
    await this.#await(moves, store, 'all moves')
    // Gaps end with the next look that can tell.
    await this.#quiet(store)
    await this.#kill('SIGTERM')
    const { outages } = moves
    const verdict = await judge(store, { tags: moves.tags, outages, absences: this.#absences, everyMs })
    return this.#report(moves, verdict)
  }

  async close(): Promise<void> {
    this.#watcher?.child.kill('SIGKILL')
    await this.#store?.close()
    for (const registry of this.#registries) await registry.close()
  }

  get #database(): string {
    return `sqlite:${join(this.#place, 'soak.db')}`
  }

  async #declare({ tags }: Moves): Promise<Store> {
    const listed = this.#registries.filter(({ hasLists }) => hasLists)
    const lines = listed.map(({ address }) => `  '${address}': { kind: gar, anonymous: true }\n`)
    writeFileSync(join(this.#place, 'tidemark.yaml'), `registries:\n${lines.join('')}`)
    const store = await openStore({ url: this.#database, clock: systemClock })
    this.#store = store
    const { everyMs } = this.#options
    for (const { reference } of tags) await store.watches.add(reference, { everyMs, origin: 'command' })
    return store
  }

  async #start(): Promise<void> {
    const args = ['serve', '--listen', '127.0.0.1:0', '--database', this.#database]
    const env = { HOME: this.#place, TIDEMARK_HOME: join(this.#place, 'data'), TIDEMARK_LOG: 'error' }
    const config = ['--config', join(this.#place, 'tidemark.yaml')]
    const child = spawn(process.execPath, [resolve('bin/tidemark'), ...args, ...config], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (this.#log.length < 20) this.#log.push(line)
    })
    const url = await new Promise<string>((done, fail) => {
      createInterface({ input: child.stdout }).once('line', done)
      child.once('exit', (code) => fail(new Error(`the watcher ended with ${code}: ${this.#log.join('\n')}`)))
    })
    child.removeAllListeners('exit')
    this.#watcher = { child, url }
  }

  /** Ends the watcher; what it has counted is added up before. */
  async #kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#watcher === null) return
    const { child, url } = this.#watcher
    const text = await (await fetch(`${url}/metrics`)).text()
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
    this.#watched.looks += value('tidemark_looks_total')
    this.#watched.lists += value('tidemark_lists_total')
    const ended = new Promise((done) => child.once('exit', done))
    child.kill(signal)
    await ended
    this.#watcher = null
  }

  /** Moves, outages, refusals and kills, until the time is over. */
  async #unrest(moves: Moves, store: Store): Promise<void> {
    const { seconds, kills, everyMs, tags } = this.#options
    const begunAt = systemClock.now()
    const endAt = begunAt + seconds * 1_000
    const killsAt = Array.from({ length: kills }, (_, n) => begunAt + ((n + 1) / (kills + 1)) * seconds * 1_000)
    const movesPerTick = (Math.max(10, tags / 250) * tickMs) / 1_000
    let owed = 0
    for (let now = begunAt; now < endAt; now = systemClock.now()) {
      await this.#follow(moves, store)
      for (owed += movesPerTick; owed >= 1; ) owed -= Math.max(1, moves.move())
      if (this.#random() < 0.05) moves.beginOutage()
      moves.endOutages(2 * everyMs + 3_000)
      for (const registry of this.#registries)
        if (!registry.isPaused && this.#random() < tickMs / 10_000)
          registry.askToWait(2 + this.#under(3), this.#random() < 0.5)
      if (now >= (killsAt[0] ?? endAt)) {
        killsAt.shift()
        await this.#replaceWatcher()
      }
      await systemClock.sleep(tickMs)
    }
  }

  /** Kills the watcher while hosts have asked for pauses that outlast it, and starts another on the same database. */
  async #replaceWatcher(): Promise<void> {
    for (const registry of this.#registries) registry.askToWait(8, this.#random() < 0.5)
    await systemClock.sleep(storedAfterMs + 1_500)
    const from = systemClock.now()
    await this.#kill('SIGKILL')
    for (const { pauses } of this.#registries) {
      const last = pauses.at(-1)
      if (last !== undefined && last.from > from - storedAfterMs) last.until = Math.min(last.until, from)
    }
    await systemClock.sleep(this.#random() * 2_000)
    const to = systemClock.now()
    await this.#start()
    this.#absences.push({ from, to })
    this.#options.say(`killed, and started anew ${to - from} ms later`)
  }

  /** Reads what the history has been told of since. */
  async #follow(moves: Moves, store: Store): Promise<void> {
    for (;;) {
      const events = await store.events.after(this.#lastEvent, 500)
      for (const event of events) {
        this.#lastEvent = event.id
        const tag = moves.byReference.get(formatReference(event.reference))
        if (tag === undefined || !('entry' in event)) continue
        const move = tag.truth[tag.seen++]
        if (move !== undefined && tag.seen > 1) this.#detections.push((event.entry.seenAt ?? event.at) - move.at)
      }
      if (events.length < 500) return
    }
  }

  /** Waits until the history has as many entries of each tag as it moved, some intervals at most; what is missing then is missed. */
  async #await(moves: Moves, store: Store, what: string): Promise<void> {
    const { everyMs, tags, say } = this.#options
    const limitMs = 60_000 + 10 * everyMs + tags * 20
    const endAt = systemClock.now() + limitMs
    while (systemClock.now() < endAt) {
      await this.#follow(moves, store)
      if (moves.tags.every(({ seen, truth }) => seen >= truth.length)) return
      await systemClock.sleep(200)
    }
    say(`waited in vain for ${what}`)
  }

  /** Waits until no tag is unknown, as long as errors let it: the registries behave from now on. */
  async #quiet(store: Store): Promise<void> {
    for (const registry of this.#registries) registry.behave()
    const endAt = systemClock.now() + 60_000 + 10 * this.#options.everyMs
    while (systemClock.now() < endAt) {
      if ((await store.watches.list()).every(({ state }) => state !== 'unknown')) return
      await systemClock.sleep(500)
    }
  }

  #report(moves: Moves, verdict: Verdict): SoakReport {
    const pauses = this.#registries.flatMap((registry) => registry.pauses)
    const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
    return {
      ...verdict,
      ...this.#watched,
      requests: sum(this.#registries.map(({ requests }) => requests)),
      made: moves.made,
      errors: sum(this.#registries.map(({ troubles }) => troubles.length)),
      pauses: pauses.length,
      inFlight: sum(pauses.map(({ inFlight }) => inFlight)),
      undercuts: pauses.flatMap(({ undercuts }) => undercuts),
      kills: this.#absences.length,
      meanDetectionMs: sum(this.#detections) / Math.max(1, this.#detections.length),
      log: this.#log,
    }
  }

  #under(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}
