/** What an answer cost at registries and token servers: tests assert on it, so that the figures in the docs cannot rot. */
export interface Cost {
  /** HTTP requests that were sent, retries, redirects and tokens included. */
  requests: number
  /** Bytes of bodies that were received. */
  bytes: number
}

/** A fresh counter. */
export function noCost(): Cost {
  return { requests: 0, bytes: 0 }
}
