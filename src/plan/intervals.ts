/** What a plan is made from: one place for each tag, in all lists alike. */
export interface PlanInput {
  readonly size: number
  /** Moves per hour; a place with 0 holds no tag and is passed over. */
  readonly rates: Float64Array
  /** The longest interval of each, in whole milliseconds: what the user gave for it, or the lane's longest. */
  readonly ceilingsMs: Float64Array
  /** The shortest interval of all; a ceiling that is shorter holds. */
  readonly minEveryMs: number
  /** Looks per hour. */
  readonly budget: number
}

/** What a plan comes to. */
export interface PlanOutcome {
  /** Looks per hour of all intervals together. */
  readonly looks: number
  /** The ceilings alone need more than the budget: every interval is its ceiling, and the budget is exceeded. */
  readonly isOverBudget: boolean
  /** Intervals that are not what they were. */
  readonly changed: number
}

/**
 * An interval stays while the best one is within such a factor of it. The first that spends the budget, and not more, is taken:
 * a narrower one only where too many stay too short, or too long.
 */
const keepFactors = [2 ** 0.5, 2 ** 0.25, 2 ** 0.125, 1]
/** Staying may leave this share of the budget unspent. */
const idleShare = 0.05
const hourMs = 3_600_000

/**
 * Chooses the intervals that find moves soonest, on the mean over moves, for a budget: T ∝ 1/√rate within the bounds. An
 * interval that is in use stays while it is near enough, so that a plan made again of nearly the same rates changes
 * nothing. Bounds hold exactly, and so does the budget where {@link PlanOutcome.isOverBudget} does not say otherwise. Linear
 * in the tags, times the bits of a scale; deterministic.
 * @param everyMs in: the intervals in use, 0 where there is none; out: the plan, in whole milliseconds
 */
export function planIntervals(input: PlanInput, everyMs: Float64Array): PlanOutcome {
  const weights = weightsOf(input)
  const scale = fillBudget(input, weights)
  const isOverBudget = scale === Number.POSITIVE_INFINITY
  const best = isOverBudget ? looksAt(input, weights, scale) : Math.min(input.budget, looksAt(input, weights, scale))
  const most = isOverBudget ? best : input.budget
  const keep = keepFactors.find((factor) => {
    const looks = looksKeeping(input, weights, scale, everyMs, factor)
    return looks <= most && looks >= best * (1 - idleShare)
  })
  let looks = 0
  let changed = 0
  for (let place = 0; place < input.size; place++) {
    if (weights[place] === 0) continue
    const interval = intervalAt(input, weights, scale, place, everyMs[place] ?? 0, keep ?? 1)
    if (interval !== everyMs[place]) changed++
    everyMs[place] = interval
    looks += hourMs / interval
  }
  return { looks, isOverBudget, changed }
}

/**
 * The scale at which Σ 1 / clamp(scale ÷ √rate, floor, ceiling) is the budget: what Lagrange's condition for the least mean
 * delay Σ rate × T / 2 comes to (J. Cho, H. Garcia-Molina, "Effective page refresh policies for web crawlers", 2003, whose
 * measure is freshness; with moves much rarer than looks, delay gives the square root).
 * @returns milliseconds × √(moves per hour); Infinity where the ceilings alone exceed the budget, 0 where the floors do not use it up
 */
export function fillBudget(input: PlanInput, weights = weightsOf(input)): number {
  if (looksAt(input, weights, Number.POSITIVE_INFINITY) > input.budget) return Number.POSITIVE_INFINITY
  if (looksAt(input, weights, 0) <= input.budget) return 0
  let low = 0
  let high = 1
  while (looksAt(input, weights, high) > input.budget) {
    low = high
    high *= 4
  }
  // Forty halvings leave no bound between the two, but where bounds all but coincide.
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2
    if (looksAt(input, weights, middle) > input.budget) low = middle
    else high = middle
  }
  return solveBetween(input, weights, high)
}

/** With the same tags at their bounds as at `near`, the looks are free / scale + bound: solved as it stands. */
function solveBetween(input: PlanInput, weights: Float64Array, near: number): number {
  let free = 0
  let bound = 0
  for (let place = 0; place < input.size; place++) {
    const weight = weights[place] ?? 0
    if (weight === 0) continue
    const wanted = near * weight
    const interval = clamp(input, place, wanted)
    if (interval === wanted) free += hourMs / weight
    else bound += hourMs / interval
  }
  const exact = free / (input.budget - bound)
  // Rounding may put it a hair on the wrong side, or a bound may coincide: then `near`, which spends no more than the budget, is it.
  return Math.abs(exact / near - 1) < 1e-6 ? exact : near
}

/** 1 / √rate; 0 where there is no tag. */
function weightsOf(input: PlanInput): Float64Array {
  const weights = new Float64Array(input.size)
  for (let place = 0; place < input.size; place++) {
    const rate = input.rates[place] ?? 0
    if (rate > 0) weights[place] = 1 / Math.sqrt(rate)
  }
  return weights
}

function looksAt(input: PlanInput, weights: Float64Array, scale: number): number {
  let looks = 0
  for (let place = 0; place < input.size; place++) {
    const weight = weights[place] ?? 0
    if (weight > 0) looks += hourMs / clamp(input, place, scale * weight)
  }
  return looks
}

function looksKeeping(
  input: PlanInput,
  weights: Float64Array,
  scale: number,
  everyMs: Float64Array,
  factor: number,
): number {
  let looks = 0
  for (let place = 0; place < input.size; place++) {
    if (weights[place] === 0) continue
    looks += hourMs / intervalAt(input, weights, scale, place, everyMs[place] ?? 0, factor)
  }
  return looks
}

function intervalAt(
  input: PlanInput,
  weights: Float64Array,
  scale: number,
  place: number,
  inUse: number,
  factor: number,
): number {
  // Rounded up, not to exceed the budget by milliseconds, and cut again: a ceiling holds exactly.
  const best = clamp(input, place, Math.ceil(clamp(input, place, scale * (weights[place] ?? 0))))
  const isKept = inUse > best / factor && inUse < best * factor && clamp(input, place, inUse) === inUse
  return isKept ? inUse : best
}

function clamp(input: PlanInput, place: number, wanted: number): number {
  const ceiling = input.ceilingsMs[place] ?? 0
  const floor = input.minEveryMs
  if (wanted >= ceiling || ceiling <= floor) return ceiling
  return wanted > floor ? wanted : floor
}
