/** The body of `tidemark plan -o json`: what watching asks of whom, and how often. */
export interface WatchPlan {
  hosts: HostPlan[]
}

/** What watching asks of one host. */
export interface HostPlan {
  host: string
  /** Whose software it is, by the configuration or its name; null where neither tells. */
  kind: string | null
  /** Tags that are watched there. */
  tags: number
  /** Repositories whose tags are followed. */
  rules: number
  /** Requests in an hour, where nothing moves. */
  looksPerHour: number
  /** Lists of tags in an hour: those that tell of digests, and those that rules follow. */
  listsPerHour: number
  /** What the two may come to, by the configuration or half of a quota that they count against; null: nobody says. */
  requestsPerHour: number | null
  intervals: PlannedIntervals
  /** Repositories whose tags are known by one list. */
  lists: ListedRepository[]
  quota: PlannedQuota | null
  /** Until when the host asked to be left alone; null: it did not. */
  pausedUntil: string | null
  /** What would bite, and the way out. */
  warnings: string[]
  /** Each tag, where they were asked for. */
  plannedTags: PlannedTag[]
}

/** How often tags are looked at. */
export interface PlannedIntervals {
  shortest: string
  median: string
  longest: string
}

/** A repository of which one list tells what its tags point at. */
export interface ListedRepository {
  repository: string
  tags: number
  every: string
}

/** A quota that the host told of. */
export interface PlannedQuota {
  /** In whose words it is told. */
  dialect: string
  limit: number | null
  window: string | null
  /** Whether looks count against it; null: not known. */
  countsLooks: boolean | null
}

/** One tag of the plan. */
export interface PlannedTag {
  reference: string
  every: string
  /** What was given for it; null: nothing. */
  given: string | null
}
