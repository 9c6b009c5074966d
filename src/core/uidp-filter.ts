import { installation, isWithin, parentOf, type Uidp } from './identity.js'

/** Chooses records by where they stand: `UIDPFilter` of Chainguard's API. What is given is required all at once. */
export interface UidpFilter {
  /** What stands anywhere above this one. */
  readonly ancestorsOf?: string
  /** What stands anywhere below it. */
  readonly descendantsOf?: string
  /** What stands directly below it; `/` for organizations. */
  readonly childrenOf?: string
  /** What stands below nothing. */
  readonly inRoot?: boolean
  /** Just these. */
  readonly ids?: readonly string[]
}

/** Whether a record passes. A text that is no UIDP chooses nothing; an empty one is as if it were left out. */
export function matchesUidpFilter(uidp: Uidp, filter: UidpFilter): boolean {
  const { ancestorsOf = '', descendantsOf = '', childrenOf = '', inRoot = false, ids = [] } = filter
  if (ancestorsOf !== '' && !ancestorsOf.startsWith(`${uidp}/`)) return false
  if (descendantsOf !== '' && (uidp === descendantsOf || !isWithin(uidp, descendantsOf as Uidp))) return false
  if (childrenOf !== '' && parentOf(uidp) !== childrenOf) return false
  if (inRoot && parentOf(uidp) !== installation) return false
  return ids.length === 0 || ids.includes(uidp)
}
