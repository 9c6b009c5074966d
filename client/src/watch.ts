/** What is known of a watched tag. `unseen`: not looked at yet. */
export type WatchState = 'unseen' | 'present' | 'absent' | 'unknown'

/** A tag that is watched. */
export interface Watch {
  reference: string
  /** `5m`: what was asked for, and so the longest time between two looks; null: the plan chooses. */
  every: string | null
  /** How often it is looked at, by the plan of its host; null: there is none yet. */
  planned: string | null
  /** Whether the images that it points at are analyzed as they come; null: the server's default. */
  analyze: boolean | null
  state: WatchState
  /** Why the state is `absent` or `unknown`. */
  reason: string | null
  /** Since when the state is what it is. */
  since: string
  digest: string | null
  /** The last time the tag was looked at. */
  checkedAt: string | null
  /** Who declared it: a command, the configuration, or a rule that follows a repository's tags. */
  origin: 'command' | 'config' | 'rule'
}

/** A repository whose tags are followed as they come. */
export interface WatchRule {
  repository: string
  /** Globs of tags to follow. */
  tags: string[]
  exclude: string[]
  every: string | null
  /** Whether the images that its tags point at are analyzed as they come; null: the server's default. */
  analyze: boolean | null
  /** Most tags that the rule watches. */
  maxTags: number
  origin: 'command' | 'config'
}

/** A watched tag of a repository. */
export interface WatchedTag {
  tag: string
  digest: string | null
  state: WatchState
  /** Why the state is `absent` or `unknown`. */
  reason: string | null
  /** When its history says that it last moved; null before the first look. */
  movedAt: string | null
  /** The last time it was looked at. */
  checkedAt: string | null
}

/** The body of `tidemark tag list -o json`, by name. */
export interface WatchedTagList {
  /** `ORG/NAME`, or the upstream where that is no name of ours. */
  repository: string
  upstream: string
  tags: WatchedTag[]
}

/** The body of `tidemark watch list -o json`. */
export interface WatchList {
  watches: Watch[]
  rules: WatchRule[]
}

/** What `watch add` did. */
export interface WatchAdded {
  reference: string
  /** False when it was watched already; its interval is then as asked now. */
  added: boolean
}

/** What `watch remove` did. */
export interface WatchRemoved {
  reference: string
  removed: boolean
}
