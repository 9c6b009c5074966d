import { growing } from './growing.js'

/**
 * What the model of rates assumes. The values were chosen on the first half of the histories that `npm run bench -- planner`
 * reads, and judged on later parts of them.
 */
export const rateModel = {
  /** A move counts half after this time, and so does an hour in which nothing moved. */
  halfLifeMs: 14 * 86_400_000,
  /** The same for what a repository is doing right now: a rebuild of its tags takes hours. */
  burstHalfLifeMs: 3 * 3_600_000,
  /** What is believed of a lane before anything is known: one move of a tag in thirty days, as much as one move tells. */
  priorRatePerHour: 1 / (30 * 24),
  /** Moves' worth of trust in the lane's mean, when the mean of a repository is estimated. */
  laneShape: 1,
  /** Moves' worth of trust in what is usual, when a repository's activity is estimated. */
  burstShape: 0.2,
  /** Between these the moves' worth of trust in the repository's mean is estimated from how different the lane's tags are. */
  minShape: 0.1,
  maxShape: 10,
  /** How much is believed that this trust is one move's worth, before the tags tell. */
  shapeTrust: 10,
} as const

const hourMs = 3_600_000

/**
 * How often each tag of a lane moves, from what was seen of it: a Gamma–Poisson model in three layers. A tag's rate is drawn
 * towards the mean of its repository, that towards the mean of the lane, and that towards a prior, each by as much as little
 * is known; old moves and old silence count less. The tags of a repository share its activity of the last hours: where some
 * have just moved, the rates of all are higher, and lower in its silence.
 *
 * A tag is named by its place, a small number that `add` gives. Times in milliseconds since the epoch, rates per hour.
 */
export class TagRates {
  readonly #groups = new Map<string, number>()
  readonly #free: number[] = []
  #size = 0
  #group = new Int32Array(16).fill(-1)
  #since = new Float64Array(16)
  #moves = new Float64Array(16)
  #movesAt = new Float64Array(16)
  #exposure = new Float64Array(16)
  #bursts = new Float64Array(16)
  #burstsAt = new Float64Array(16)
  #groupTags = new Int32Array(16)
  #groupMoves = new Float64Array(16)
  #groupExposure = new Float64Array(16)
  #groupExpected = new Float64Array(16)

  /** Places are below this; see {@link isHeld}. */
  get size(): number {
    return this.#size
  }

  isHeld(place: number): boolean {
    return (this.#group[place] ?? -1) >= 0
  }

  /**
   * Takes up a tag.
   * @param group what moves together: the repository
   * @param sinceMs since when its moves are known: when it was first looked at, or the first entry of a history that was imported
   * @returns its place
   */
  add(group: string, sinceMs: number): number {
    const place = this.#free.pop() ?? this.#size++
    this.#reserve(this.#size, this.#groups.size + 1)
    const number = this.#groups.get(group) ?? this.#groups.size
    this.#groups.set(group, number)
    this.#group[place] = number
    this.#since[place] = sinceMs
    this.#moves[place] = 0
    this.#movesAt[place] = sinceMs
    this.#groupTags[number] = (this.#groupTags[number] ?? 0) + 1
    return place
  }

  /** The tag is no longer watched; its place is given to another. */
  remove(place: number): void {
    const group = this.groupOf(place)
    if (group < 0) return
    this.#groupTags[group] = (this.#groupTags[group] ?? 1) - 1
    this.#group[place] = -1
    this.#free.push(place)
  }

  /** The number of a tag's group; −1 where the place is not held. */
  groupOf(place: number): number {
    return this.#group[place] ?? -1
  }

  /** A tag has moved. Past moves may come in any order. */
  move(place: number, at: number): void {
    const group = this.groupOf(place)
    if (group < 0) return
    const { halfLifeMs, burstHalfLifeMs } = rateModel
    addDecayed(this.#moves, this.#movesAt, place, at, halfLifeMs)
    addDecayed(this.#bursts, this.#burstsAt, group, at, burstHalfLifeMs)
  }

  /**
   * Writes the rate of every tag, per hour, always above zero; 0 at places that are not held. Linear in the tags.
   * @param out at least {@link size} long
   */
  estimate(now: number, out: Float64Array): void {
    const groups = this.#groups.size
    this.#sum(now)
    const lane = this.#laneMean()
    const shape = this.#shape(lane, now)
    for (let group = 0; group < groups; group++) {
      const { laneShape } = rateModel
      const moves = this.#groupMoves[group] ?? 0
      const exposure = this.#groupExposure[group] ?? 0
      this.#groupMoves[group] = (laneShape + moves) / (laneShape / lane + exposure)
      this.#groupExpected[group] = 0
    }
    for (let place = 0; place < this.#size; place++) {
      const group = this.#group[place] ?? -1
      out[place] = 0
      if (group < 0) continue
      const mean = this.#groupMoves[group] ?? lane
      const moves = this.#movesBy(place, now)
      const rate = (shape + moves) / (shape / mean + (this.#exposure[place] ?? 0))
      out[place] = rate
      this.#groupExpected[group] = (this.#groupExpected[group] ?? 0) + rate * this.#burstExposure(place, now)
    }
    for (let group = 0; group < groups; group++) this.#groupExpected[group] = this.#activity(group, now)
    for (let place = 0; place < this.#size; place++) {
      const group = this.#group[place] ?? -1
      if (group >= 0) out[place] = (out[place] ?? 0) * (this.#groupExpected[group] ?? 1)
    }
  }

  /** How much more a repository's tags move now than they usually do: a Gamma–Poisson estimate around 1. */
  #activity(group: number, now: number): number {
    const { burstShape, burstHalfLifeMs } = rateModel
    const seen = decayed(this.#bursts[group] ?? 0, now - (this.#burstsAt[group] ?? 0), burstHalfLifeMs)
    return (burstShape + seen) / (burstShape + (this.#groupExpected[group] ?? 0))
  }

  #sum(now: number): void {
    this.#groupMoves.fill(0)
    this.#groupExposure.fill(0)
    for (let place = 0; place < this.#size; place++) {
      const group = this.#group[place] ?? -1
      if (group < 0) continue
      const exposure = exposureHours(now - (this.#since[place] ?? now), rateModel.halfLifeMs)
      this.#exposure[place] = exposure
      this.#groupMoves[group] = (this.#groupMoves[group] ?? 0) + this.#movesBy(place, now)
      this.#groupExposure[group] = (this.#groupExposure[group] ?? 0) + exposure
    }
  }

  #laneMean(): number {
    let moves = 1
    let exposure = 1 / rateModel.priorRatePerHour
    for (let group = 0; group < this.#groups.size; group++) {
      moves += this.#groupMoves[group] ?? 0
      exposure += this.#groupExposure[group] ?? 0
    }
    return moves / exposure
  }

  /**
   * The Gamma's shape by the method of moments: what the tags' counts vary beyond what Poisson's law alone makes them vary. A
   * decayed count varies less than a whole one: by the decay's square. A lane of a few tags says little about it, so it is
   * drawn towards 1.
   */
  #shape(mean: number, now: number): number {
    const { minShape, maxShape, shapeTrust, halfLifeMs } = rateModel
    let spread = shapeTrust
    let square = shapeTrust
    for (let place = 0; place < this.#size; place++) {
      if ((this.#group[place] ?? -1) < 0) continue
      const expected = mean * (this.#exposure[place] ?? 0)
      const excess = this.#movesBy(place, now) - expected
      const byChance = mean * exposureHours(now - (this.#since[place] ?? now), halfLifeMs / 2)
      spread += excess * excess - byChance
      square += expected * expected
    }
    return spread <= 0 ? maxShape : Math.min(maxShape, Math.max(minShape, square / spread))
  }

  #movesBy(place: number, now: number): number {
    return decayed(this.#moves[place] ?? 0, now - (this.#movesAt[place] ?? now), rateModel.halfLifeMs)
  }

  #burstExposure(place: number, now: number): number {
    return exposureHours(now - (this.#since[place] ?? now), rateModel.burstHalfLifeMs)
  }

  #reserve(places: number, groups: number): void {
    if (places > this.#group.length) {
      this.#group = growing(this.#group, places).fill(-1, this.#group.length)
      this.#since = growing(this.#since, places)
      this.#moves = growing(this.#moves, places)
      this.#movesAt = growing(this.#movesAt, places)
      this.#exposure = growing(this.#exposure, places)
    }
    if (groups > this.#bursts.length) {
      this.#bursts = growing(this.#bursts, groups)
      this.#burstsAt = growing(this.#burstsAt, groups)
      this.#groupTags = growing(this.#groupTags, groups)
      this.#groupMoves = growing(this.#groupMoves, groups)
      this.#groupExposure = growing(this.#groupExposure, groups)
      this.#groupExpected = growing(this.#groupExpected, groups)
    }
  }
}

/** What is left of a count after some time; what lies ahead (a clock that was set back) counts whole. */
function decayed(count: number, ageMs: number, halfLifeMs: number): number {
  return ageMs <= 0 ? count : count * 2 ** (-ageMs / halfLifeMs)
}

/** One more at `at` to a decaying count that is kept as of the latest time that was added. */
function addDecayed(counts: Float64Array, times: Float64Array, index: number, at: number, halfLifeMs: number): void {
  const count = counts[index] ?? 0
  const latest = times[index] ?? 0
  counts[index] =
    at >= latest ? 1 + decayed(count, at - latest, halfLifeMs) : count + decayed(1, latest - at, halfLifeMs)
  times[index] = Math.max(at, latest)
}

/** Hours of watching, those long ago weighing less: the integral of the decay. */
function exposureHours(watchedMs: number, halfLifeMs: number): number {
  if (watchedMs <= 0) return 0
  return (halfLifeMs / Math.LN2 / hourMs) * (1 - 2 ** (-watchedMs / halfLifeMs))
}
