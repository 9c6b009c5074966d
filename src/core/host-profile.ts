/** What was learned about a host, kept so that it need not be learned again. */
export interface HostProfile {
  /** What it speaks, where that had to be found out: loopback hosts only. */
  readonly scheme?: 'http' | 'https'
  /** `refused`: HEAD of a manifest is answered 405 or 501, so that each look costs a GET. */
  readonly head?: 'works' | 'refused'
}

/** Reads a stored profile; what does not fit is left out, for it can be learned again. */
export function parseHostProfile(value: unknown): HostProfile {
  if (typeof value !== 'object' || value === null) return {}
  const { scheme, head } = value as Record<string, unknown>
  return {
    ...((scheme === 'http' || scheme === 'https') && { scheme }),
    ...((head === 'works' || head === 'refused') && { head }),
  }
}
