import { type QuotaRule, quotaDialects } from './quota.js'

/** What was learned about a host, kept so that it need not be learned again. A key that is not there: not learned yet. */
export interface HostProfile {
  /** What it speaks, where that had to be found out: loopback hosts only. */
  readonly scheme?: 'http' | 'https'
  /** `refused`: HEAD of a manifest is answered 405 or 501, so that each look costs a GET. */
  readonly head?: 'works' | 'refused'
  /** `missing`: answers to HEAD came without a digest, so that a look is a GET at once. */
  readonly digestHeader?: 'sent' | 'missing'
  /** When `head` or `digestHeader` was last found wanting, in milliseconds since the epoch. */
  readonly headJudgedAt?: number
  /** `honored`: a HEAD with the digest in If-None-Match is answered 304, and only with the right one. */
  readonly conditional?: 'honored' | 'ignored'
  /** `none`: asked for a tag's past, it knew nothing of such a question. */
  readonly history?: 'told' | 'none'
  /** When its list of digests was found to say something else than its manifests, in milliseconds since the epoch. */
  readonly listDistrustedAt?: number
  readonly quota?: QuotaRule
  /** Whether HEAD of a manifest counts against {@link quota}. */
  readonly headCounts?: boolean
}

/** Whether a look costs a GET there: HEAD is refused, or does not tell the digest. */
export function isAskedByGet({ head, digestHeader }: HostProfile): boolean {
  return head === 'refused' || digestHeader === 'missing'
}

/** Reads a stored profile; what does not fit is left out, for it can be learned again. */
export function parseHostProfile(value: unknown): HostProfile {
  if (typeof value !== 'object' || value === null) return {}
  const { scheme, head, digestHeader, headJudgedAt, conditional, history, listDistrustedAt, quota, headCounts } =
    value as Record<string, unknown>
  const rule = parseQuotaRule(quota)
  return {
    ...((scheme === 'http' || scheme === 'https') && { scheme }),
    ...((head === 'works' || head === 'refused') && { head }),
    ...((digestHeader === 'sent' || digestHeader === 'missing') && { digestHeader }),
    ...(isTime(headJudgedAt) && { headJudgedAt }),
    ...((conditional === 'honored' || conditional === 'ignored') && { conditional }),
    ...((history === 'told' || history === 'none') && { history }),
    ...(isTime(listDistrustedAt) && { listDistrustedAt }),
    ...(rule !== null && { quota: rule }),
    ...(typeof headCounts === 'boolean' && { headCounts }),
  }
}

function parseQuotaRule(value: unknown): QuotaRule | null {
  if (typeof value !== 'object' || value === null) return null
  const { dialect, limit, windowMs } = value as Record<string, unknown>
  const known = quotaDialects.find((one) => one === dialect)
  return known === undefined ? null : { dialect: known, limit: positive(limit), windowMs: positive(windowMs) }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value)
}

function positive(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null
}
