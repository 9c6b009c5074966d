import type { Clock, Random } from '../core/clock.js'
import { Fault, throwIfAborted } from '../core/fault.js'
import { formatTime } from '../core/time.js'

/** What goes first where slots are few. A HEAD is the cheapest and tells of a move; a blob can wait. */
export const priorities = ['head', 'interactive', 'manifest', 'blob'] as const

/** See {@link priorities}. */
export type Priority = (typeof priorities)[number]

/** How one piece of work enters a lane. */
export interface LaneEntry {
  readonly priority: Priority
  /** How long a pause may be waited out, in milliseconds; a longer one is a `rate-limited` fault at once. */
  readonly maxWaitMs: number
  readonly signal?: AbortSignal | undefined
}

/** Failures in a row after which a host is left alone for a while. */
const breakerThreshold = 5
const breakerFirstMs = 5_000
const breakerLongestMs = 5 * 60_000
/** First pause after a 429 that gives no time; doubled by each further one. */
const pauseFirstMs = 2_000
const pauseLongestMs = 5 * 60_000

interface Waiter {
  readonly resolve: (release: () => void) => void
  readonly reject: (fault: Fault) => void
  readonly deadlineMs: number
  readonly signal: AbortSignal | undefined
  readonly onAbort: (() => void) | undefined
}

/**
 * One host and one credential: its slots, its pause and its breaker, for all that speak to it. Whoever sends takes a slot
 * first, and gives it back when the answer is read.
 */
export class Lane {
  /** For messages: the host. */
  readonly name: string
  readonly #clock: Clock
  readonly #random: Random
  readonly #waiting: Readonly<Record<Priority, Waiter[]>> = { head: [], interactive: [], manifest: [], blob: [] }
  readonly #release: () => void
  #free: number
  #pausedUntil = 0
  #pauses = 0
  #isTimerSet = false
  #failures = 0
  #trips = 0
  #openUntil = 0
  #isProbing = false
  #fault: Fault | null = null

  constructor(name: string, slots: number, clock: Clock, random: Random) {
    this.name = name
    this.#free = slots
    this.#clock = clock
    this.#random = random
    this.#release = () => {
      this.#free++
      this.#pump()
    }
  }

  /** Until when nothing is sent, in milliseconds since the epoch; null when the lane is open. */
  get pausedUntil(): number | null {
    const untilMs = Math.max(this.#pausedUntil, this.#openUntil)
    return untilMs > this.#clock.now() ? untilMs : null
  }

  /** What last went wrong with the host; null when it answers. */
  get fault(): Fault | null {
    return this.#fault
  }

  /**
   * Waits for a slot; call what it gives exactly once.
   * @throws Fault `rate-limited` when a pause ends later than may be waited; the last failure while the breaker is open;
   *   `cancelled`
   */
  acquire(entry: LaneEntry): Promise<() => void> | (() => void) {
    throwIfAborted(entry.signal)
    const now = this.#clock.now()
    this.#requireClosed(now)
    if (this.#pausedUntil <= now) {
      if (this.#free > 0) {
        this.#free--
        return this.#release
      }
    } else if (this.#pausedUntil - now > entry.maxWaitMs) throw this.#rateLimited()
    return this.#wait(entry, now)
  }

  /** Holds everything back until `untilMs`: the host asked for it. A pause is never made shorter. */
  pause(untilMs: number): void {
    if (untilMs <= this.#pausedUntil) return
    // Whole milliseconds: fractions of seconds come from registries, and the store keeps integers.
    this.#pausedUntil = Math.ceil(untilMs)
    for (const priority of priorities) {
      for (const waiter of this.#waiting[priority].filter(({ deadlineMs }) => deadlineMs < untilMs)) {
        this.#drop(priority, waiter)
        waiter.reject(this.#rateLimited())
      }
    }
    this.#wakeLater()
  }

  /** A pause of our own after a refusal that names no time: doubled by each further one, spread by chance. */
  pauseWithoutHint(): void {
    const longestMs = Math.min(pauseFirstMs * 2 ** this.#pauses++, pauseLongestMs)
    this.pause(this.#clock.now() + Math.ceil(longestMs * (0.5 + this.#random() / 2)))
  }

  /** The host answered. */
  succeeded(): void {
    if (this.#failures === 0 && this.#pauses === 0) return
    this.#failures = 0
    this.#pauses = 0
    this.#trips = 0
    this.#openUntil = 0
    this.#isProbing = false
    this.#fault = null
  }

  /** The host could not be reached, or answered that it is broken. */
  failed(fault: Fault): void {
    this.#fault = fault
    this.#failures++
    this.#isProbing = false
    if (this.#failures < breakerThreshold) return
    const longestMs = Math.min(breakerFirstMs * 2 ** this.#trips++, breakerLongestMs)
    this.#openUntil = this.#clock.now() + Math.ceil(longestMs * (0.5 + this.#random() / 2))
  }

  /** With an open breaker one request after the wait finds out; all others get the last failure at once. */
  #requireClosed(now: number): void {
    if (this.#failures < breakerThreshold || this.#fault === null) return
    if (now >= this.#openUntil && !this.#isProbing) {
      this.#isProbing = true
      return
    }
    throw new Fault(this.#fault.code, `${this.#fault.message} (${this.#failures} times in a row)`, {
      cause: this.#fault,
      fix: this.#fault.fix,
      data: { ...this.#fault.data, until: this.#openUntil },
    })
  }

  #wait(entry: LaneEntry, now: number): Promise<() => void> {
    const { priority, signal } = entry
    return new Promise((resolve, reject) => {
      const onAbort =
        signal &&
        (() => {
          this.#drop(priority, waiter)
          reject(new Fault('cancelled', 'cancelled', { cause: signal.reason }))
        })
      const waiter: Waiter = { resolve, reject, deadlineMs: now + entry.maxWaitMs, signal, onAbort }
      if (onAbort) signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting[priority].push(waiter)
      this.#wakeLater()
    })
  }

  #drop(priority: Priority, waiter: Waiter): void {
    const place = this.#waiting[priority].indexOf(waiter)
    if (place >= 0) this.#waiting[priority].splice(place, 1)
    this.#unlisten(waiter)
  }

  #unlisten({ signal, onAbort }: Waiter): void {
    if (onAbort) signal?.removeEventListener('abort', onAbort)
  }

  #pump(): void {
    if (this.#pausedUntil > this.#clock.now()) {
      this.#wakeLater()
      return
    }
    for (const priority of priorities) {
      const queue = this.#waiting[priority]
      while (this.#free > 0 && queue.length > 0) {
        const waiter = queue.shift() as Waiter
        this.#unlisten(waiter)
        this.#free--
        waiter.resolve(this.#release)
      }
    }
  }

  #wakeLater(): void {
    if (this.#isTimerSet || !priorities.some((priority) => this.#waiting[priority].length > 0)) return
    const waitMs = this.#pausedUntil - this.#clock.now()
    if (waitMs <= 0) return
    this.#isTimerSet = true
    void this.#clock.sleep(waitMs).then(() => {
      this.#isTimerSet = false
      this.#pump()
    })
  }

  #rateLimited(): Fault {
    const until = this.#pausedUntil
    return new Fault('rate-limited', `${this.name} asks us to wait until ${formatTime(Math.ceil(until))}`, {
      data: { until },
    })
  }
}
