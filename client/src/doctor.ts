/**
 * What came of one step. `warning`: it works, and something about it will cost, or will fail later. `skipped`: nothing was asked,
 * because a step before failed, or because no repository was named.
 */
export type DoctorStatus = 'ok' | 'warning' | 'failed' | 'skipped'

/** What every step says; `found` is what programs read. */
export interface DoctorStepOf<Name extends string, Found> {
  step: Name
  status: DoctorStatus
  /** One line for a person. */
  message: string
  /** Of what failed: a code of docs/errors.md, where one stands for it; else null. */
  code: string | null
  /** The next thing to type or to configure; null where nothing need be done. */
  fix: string | null
  durationMs: number
  /** Null where nothing was found out. */
  found: Found | null
}

/** Where the host is looked for. */
export interface NameFound {
  /** The name that is looked up: the host's on the wire, or the proxy's. */
  name: string
  addresses: { address: string; zone: 'public' | 'private' | 'loopback' | 'forbidden' }[]
  /** `HOST:PORT`; null where the host is spoken to directly. */
  proxy: string | null
}

/** How the connection is made. */
export interface TlsFound {
  scheme: 'http' | 'https'
  /** Why plain HTTP is spoken; null where it is not. */
  plainBecause: 'plainHttp' | 'loopback' | null
  /** `TLSv1.3`; null for plain HTTP, as what follows. */
  protocol: string | null
  certificate: { subject: string; issuer: string; validUntil: string | null; isTrusted: boolean } | null
  /** What names certificates to trust besides the usual ones, with the file. */
  trusted: string[]
}

/** Who we are to the registry. */
export interface AuthFound {
  /** What the host asks for; null where it did not say. */
  challenge: 'none' | 'basic' | 'bearer' | null
  /** Of `bearer`: where tokens are had, and for which service. */
  realm: string | null
  service: string | null
  /** `kind` without the secret; `source` is null where nothing was found anywhere. */
  credential: {
    kind: 'anonymous' | 'password' | 'identity-token' | 'registry-token'
    source: string | null
    username: string | null
  } | null
  /** Of a token that was given. `isTold`: the token server said how long it lasts; else that is assumed. */
  token: { lifetimeMs: number; isTold: boolean } | null
}

/** How a look at a tag goes. */
export interface HeadFound {
  digest: string
  /** Empty where the registry does not say. */
  mediaType: string
  /** `refused`: each look is a GET. */
  head: 'works' | 'refused'
  /** `missing`: each look is a GET, of which the digest is computed. */
  digestHeader: 'sent' | 'missing'
  /** Whether 304 is answered where nothing has changed; null where looks are GETs. */
  conditional: 'honored' | 'ignored' | null
  /** What a look costs from now on. */
  look: { requests: number; bytes: number }
}

/**
 * What came of a registry's own list with digests: `none` there is for this kind; `denied`: not for us; `failed`: it could not be
 * read; `untried`: no repository was named, or the kind is not known.
 */
export type DigestListState = 'works' | 'denied' | 'failed' | 'none' | 'untried'

/** What the registry lists. */
export interface ListFound {
  /** Whose software it is; null where neither its name nor the configuration tells. */
  kind: string | null
  /** Its own list, which carries digests. */
  digests: DigestListState
  /** Entries of its first page; null where there is none. */
  digestsOnPage: number | null
  /** Whether it says of the tag what the registry answers for it; null where the first page does not have the tag. */
  agrees: boolean | null
  /** When a watcher on this database last found that it says something else than the manifests do; null for never. */
  distrustedAt: string | null
  /** Tags on the first page of `tags/list`; null where there is none. */
  tagsOnPage: number | null
}

/** What the registry says of its limits. */
export interface QuotaFound {
  /** In which words; null where it says nothing. */
  dialect: string | null
  limit: number | null
  windowMs: number | null
  remaining: number | null
  resetAt: string | null
  /** Until when it wants to be left alone. */
  pausedUntil: string | null
  /** Whether HEAD of a manifest counts; null where that is not known. */
  headCounts: boolean | null
  /** What watching takes of it at most, in requests an hour; null for no bound. */
  watchingPerHour: number | null
}

/** Whether both clocks agree. */
export interface ClockFound {
  /** How far ours is ahead of the host's; its header tells whole seconds. */
  aheadMs: number
}

/** One step. */
export type DoctorStep =
  | DoctorStepOf<'name', NameFound>
  | DoctorStepOf<'tls', TlsFound>
  | DoctorStepOf<'auth', AuthFound>
  | DoctorStepOf<'head', HeadFound>
  | DoctorStepOf<'list', ListFound>
  | DoctorStepOf<'quota', QuotaFound>
  | DoctorStepOf<'clock', ClockFound>

/** The body of `tidemark doctor -o json`. */
export interface DoctorReport {
  host: string
  /** Null where a host alone was named. */
  reference: string | null
  /** In this order: name, tls, auth, head, list, quota, clock. */
  steps: DoctorStep[]
}
