import type { Digest } from './digest.js'
import type { Fault, FaultCode } from './fault.js'

/** Why a tag could not be told: never "no", never "same". The words of `tidemark check -o json`. */
export type UnknownReason = 'denied' | 'rate-limited' | 'unreachable' | 'timeout' | 'tls' | 'broken-answer' | 'store'

/** What one look at a tag told. */
export type Observation =
  | { readonly state: 'present'; readonly digest: Digest; readonly mediaType: string }
  /** `tag`: the repository is there and has no such tag (404 MANIFEST_UNKNOWN). `repository`: 404 NAME_UNKNOWN. */
  | { readonly state: 'absent'; readonly missing: 'tag' | 'repository' }
  | { readonly state: 'unknown'; readonly reason: UnknownReason; readonly fault: Fault }

const reasons: Partial<Record<FaultCode, UnknownReason>> = {
  denied: 'denied',
  'rate-limited': 'rate-limited',
  unreachable: 'unreachable',
  timeout: 'timeout',
  tls: 'tls',
  'broken-answer': 'broken-answer',
  'too-large': 'broken-answer',
  'forbidden-address': 'broken-answer',
  unsupported: 'broken-answer',
  'store-unavailable': 'store',
  'store-damaged': 'store',
  'disk-full': 'store',
}

/**
 * The observation that a failed look amounts to; null when the fault says nothing about the tag (our own mistake, a
 * cancelled call), so that the caller throws it on.
 */
export function observationOfFault(fault: Fault): Observation | null {
  if (fault.code === 'tag-not-found') return { state: 'absent', missing: 'tag' }
  if (fault.code === 'repository-not-found') return { state: 'absent', missing: 'repository' }
  const reason = reasons[fault.code]
  return reason === undefined ? null : { state: 'unknown', reason, fault }
}
