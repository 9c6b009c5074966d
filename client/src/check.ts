/** What a check found: `new` was never seen before, `absent` is not there (any more), `unknown` could not be told. */
export type CheckStatus = 'same' | 'moved' | 'new' | 'absent' | 'unknown'

/** Why a check's status is `absent` or `unknown`. */
export type CheckReason =
  | 'not-found'
  | 'denied'
  | 'rate-limited'
  | 'unreachable'
  | 'timeout'
  | 'tls'
  | 'broken-answer'
  | 'store'

/** One reference of a check. */
export interface CheckResult {
  reference: string
  digest: string | null
  previousDigest: string | null
  status: CheckStatus
  reason: CheckReason | null
  checkedAt: string
}

/** The body of `tidemark check -o json`. */
export interface CheckReport {
  results: CheckResult[]
}
