/** What is true of every fault with one code. */
export interface FaultKind {
  /** HTTP status of our own API (RFC 9457 problem). */
  readonly http: number
  /** gRPC status code, https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
  readonly grpc: number
  /** Error code of the OCI distribution specification v1.1.1, section "Error Codes". */
  readonly oci: string
  /** Exit code of the command: 1 a gate, 2 wrong usage or input, 3 the registry, the network or the disk. */
  readonly exit: 1 | 2 | 3
  /** Whether the same request may succeed later without anybody changing anything. */
  readonly retryable: boolean
  /** One sentence: when this is thrown. */
  readonly meaning: string
  /** The next thing to do or to type. Never empty. */
  readonly fix: string
}

const input = { http: 400, grpc: 3, exit: 2, retryable: false } as const
const trouble = { exit: 3, retryable: true, oci: 'UNAVAILABLE' } as const

/**
 * Every way in which Tidemark fails, by code. `docs/errors.md` is printed from this table.
 * A code is part of the API: it is never renamed or given another meaning.
 */
export const faultCatalog = {
  'invalid-reference': {
    ...input,
    oci: 'NAME_INVALID',
    meaning: 'An image reference does not follow the grammar.',
    fix: 'Write it as [HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], for example `ghcr.io/org/app:1.2`.',
  },
  'invalid-digest': {
    ...input,
    oci: 'DIGEST_INVALID',
    meaning: 'A digest is not sha256 or sha512 with the right number of lower-case hex digits.',
    fix: 'Write it as `sha256:` and 64 hex digits; `tidemark digest REF` prints one.',
  },
  'invalid-platform': {
    ...input,
    oci: 'UNSUPPORTED',
    meaning: 'A platform is not OS/ARCHITECTURE[/VARIANT].',
    fix: 'Write it as `linux/amd64` or `linux/arm64/v8`.',
  },
  'platform-not-found': {
    http: 404,
    grpc: 5,
    oci: 'MANIFEST_UNKNOWN',
    exit: 2,
    retryable: false,
    meaning: 'The image has no manifest for the wanted platform.',
    fix: 'Choose one of the platforms that the message lists.',
  },
  'invalid-time': {
    ...input,
    oci: 'UNSUPPORTED',
    meaning: 'A time is neither a date, nor ISO 8601 with an offset, nor (where allowed) an age such as 7d.',
    fix: 'Write `2026-05-01`, `2026-05-01T12:00:00Z`, or an age such as `7d`.',
  },
  'invalid-duration': {
    ...input,
    oci: 'UNSUPPORTED',
    meaning: 'A duration is not a number with a unit, or lies outside what is allowed.',
    fix: 'Write a number and one of ms, s, m, h, d, for example `5m`.',
  },
  'invalid-argument': {
    ...input,
    oci: 'UNSUPPORTED',
    meaning: 'An argument, option or parameter is missing, unknown or out of range.',
    fix: 'Run the command with `--help`, or read `/api/v1/openapi.json`.',
  },
  'invalid-config': {
    ...input,
    oci: 'UNSUPPORTED',
    meaning: 'The configuration cannot be read, is not YAML, or has an unknown or wrong key.',
    fix: 'Mend the line that the message names; docs/configuration.md lists every key.',
  },
  'invalid-import': {
    ...input,
    oci: 'UNSUPPORTED',
    meaning: 'A history to import is not `{"history":[{"updateTimestamp","digest"}]}`.',
    fix: 'Give the body of a Tag History API answer, or what `tidemark history REF --export` printed.',
  },
  'invalid-script': {
    ...input,
    oci: 'UNSUPPORTED',
    meaning: 'A script for `tidemark registry serve` cannot be read or has an unknown or wrong key.',
    fix: 'Mend what the message names; docs/test-registry.md lists every rule.',
  },
  'file-unreadable': {
    ...input,
    oci: 'UNSUPPORTED',
    meaning: 'A file that was named cannot be read.',
    fix: 'Check the path and its permissions.',
  },
  'tag-not-found': {
    http: 404,
    grpc: 5,
    oci: 'MANIFEST_UNKNOWN',
    exit: 3,
    retryable: false,
    meaning: 'The registry says that the repository has no such tag or digest.',
    fix: 'See which tags there are with `tidemark tags REPOSITORY`.',
  },
  'repository-not-found': {
    http: 404,
    grpc: 5,
    oci: 'NAME_UNKNOWN',
    exit: 3,
    retryable: false,
    meaning: 'The registry says that there is no such repository.',
    fix: 'Check the spelling; a private repository may need credentials (`docker login HOST`).',
  },
  denied: {
    http: 403,
    grpc: 7,
    oci: 'DENIED',
    exit: 3,
    retryable: false,
    meaning: 'The registry refused the credentials, or there are none; it may also hide that nothing is there.',
    fix: 'Log in with `docker login HOST`, or set registries.HOST.username and passwordFile in tidemark.yaml.',
  },
  'rate-limited': {
    ...trouble,
    http: 429,
    grpc: 8,
    oci: 'TOOMANYREQUESTS',
    meaning: 'The registry asked us to wait, and the wait is longer than this call may take.',
    fix: 'Ask again after the time in the message; credentials often have a larger quota.',
  },
  unreachable: {
    ...trouble,
    http: 502,
    grpc: 14,
    meaning: 'No connection to the host: its name does not resolve, it refuses, or it broke off.',
    fix: 'Check the host, the port and the proxy variables (HTTPS_PROXY, NO_PROXY).',
  },
  timeout: {
    ...trouble,
    http: 504,
    grpc: 14,
    meaning: 'The host did not answer in time.',
    fix: 'Ask again; if it stays slow, look at the network or the proxy between.',
  },
  tls: {
    http: 502,
    grpc: 14,
    oci: 'UNAVAILABLE',
    exit: 3,
    retryable: false,
    meaning: 'The certificate of the host is not trusted, is not for this name, or TLS is not spoken there.',
    fix: 'Set registries.HOST.ca to its CA file (or SSL_CERT_FILE), or registries.HOST.plainHttp: true if it speaks HTTP.',
  },
  'broken-answer': {
    ...trouble,
    http: 502,
    grpc: 14,
    meaning: 'The host answered something that the specification does not allow.',
    fix: 'Check that the host is a registry; a proxy or a login page may answer in its place.',
  },
  'too-large': {
    http: 502,
    grpc: 8,
    oci: 'SIZE_INVALID',
    exit: 3,
    retryable: false,
    meaning: 'An answer is larger than the limit for its kind.',
    fix: 'Check that the reference is an image; docs/limits.md gives each limit and its reason.',
  },
  'damaged-layer': {
    http: 502,
    grpc: 15,
    oci: 'DIGEST_INVALID',
    exit: 3,
    retryable: false,
    meaning: 'A layer, or another blob of an image, is missing, truncated, corrupt, or not what its digest says.',
    fix: 'Fetch or build the image again; if it stays, the copy in the registry or archive is broken.',
  },
  'unsupported-media': {
    http: 422,
    grpc: 12,
    oci: 'UNSUPPORTED',
    exit: 2,
    retryable: false,
    meaning: 'What the reference names is no image, or one of its layers is of a kind that cannot be read.',
    fix: 'Give a container image; the message says what was found instead.',
  },
  'forbidden-address': {
    http: 502,
    grpc: 7,
    oci: 'DENIED',
    exit: 3,
    retryable: false,
    meaning: 'A registry pointed us to a loopback, private or link-local address that it has no business with.',
    fix: 'If it is right, add the range to network.allow in tidemark.yaml, for example `10.0.0.0/8`.',
  },
  unsupported: {
    http: 501,
    grpc: 12,
    oci: 'UNSUPPORTED',
    exit: 3,
    retryable: false,
    meaning: 'The registry does not support what was asked.',
    fix: 'Use another way; the message names one where there is one.',
  },
  'not-watched': {
    http: 404,
    grpc: 5,
    oci: 'MANIFEST_UNKNOWN',
    exit: 2,
    retryable: false,
    meaning: 'There is no history of this tag, because nobody watches it.',
    fix: 'Watch it with `tidemark watch add REF`, or bring history along with `tidemark history import REF FILE`.',
  },
  'before-history': {
    http: 404,
    grpc: 5,
    oci: 'MANIFEST_UNKNOWN',
    exit: 2,
    retryable: false,
    meaning: 'The asked time or step lies before the first entry of the history.',
    fix: 'See what is known with `tidemark history REF`.',
  },
  'store-unavailable': {
    ...trouble,
    http: 503,
    grpc: 14,
    meaning: 'The database or state file cannot be opened, read or written.',
    fix: 'Check --database (or --store), the permissions of the folder, and that the server runs.',
  },
  'store-damaged': {
    http: 500,
    grpc: 15,
    oci: 'UNKNOWN',
    exit: 3,
    retryable: false,
    meaning: 'The database or state file is damaged; it was kept aside and not overwritten.',
    fix: 'Restore it from a backup, or start afresh by giving another path.',
  },
  'store-newer': {
    http: 500,
    grpc: 9,
    oci: 'UNKNOWN',
    exit: 3,
    retryable: false,
    meaning: 'The database was written by a newer Tidemark.',
    fix: 'Upgrade this Tidemark, or use another database.',
  },
  'disk-full': {
    ...trouble,
    http: 507,
    grpc: 8,
    meaning: 'There is no space left where the database or state file lies.',
    fix: 'Free some space, or put the data elsewhere with TIDEMARK_HOME or --database.',
  },
  'no-advisory-data': {
    http: 503,
    grpc: 9,
    oci: 'UNAVAILABLE',
    exit: 2,
    retryable: false,
    meaning: 'There is no advisory data, so nobody can say which vulnerabilities an image has.',
    fix: 'Run `tidemark db update`; on a machine without internet `tidemark db import PATH`.',
  },
  'advisories-damaged': {
    http: 500,
    grpc: 15,
    oci: 'UNKNOWN',
    exit: 3,
    retryable: false,
    meaning: 'The file of advisory data is damaged, or is something else.',
    fix: 'Build it anew: delete it and run `tidemark db update`, or `tidemark db import --replace PATH`.',
  },
  'invalid-advisories': {
    ...input,
    oci: 'UNSUPPORTED',
    meaning: 'A file to import holds no advisory data that Tidemark knows, or nothing of it could be read.',
    fix: 'See docs/sources.md for what can be imported.',
  },
  'lease-lost': {
    ...trouble,
    http: 503,
    grpc: 10,
    meaning: 'Another process has taken over this host; what we were about to write was not written.',
    fix: 'Nothing to do: the other process goes on. If it recurs, check that the clocks agree.',
  },
  conflict: {
    http: 409,
    grpc: 6,
    oci: 'DENIED',
    exit: 2,
    retryable: false,
    meaning: 'What was asked contradicts something that is there already.',
    fix: 'Change or remove what the message names first.',
  },
  unauthenticated: {
    http: 401,
    grpc: 16,
    oci: 'UNAUTHORIZED',
    exit: 3,
    retryable: false,
    meaning: 'The Tidemark server wants a token, or does not know the one it got.',
    fix: 'Set TIDEMARK_TOKEN; on the machine of the server it is in <data>/admin-token.',
  },
  forbidden: {
    http: 403,
    grpc: 7,
    oci: 'DENIED',
    exit: 3,
    retryable: false,
    meaning: 'The token is known but may not do this.',
    fix: 'Use a token with the capability that the message names.',
  },
  'route-not-found': {
    http: 404,
    grpc: 12,
    oci: 'UNSUPPORTED',
    exit: 3,
    retryable: false,
    meaning: 'The Tidemark server has no such path.',
    fix: 'Read `/api/v1/openapi.json` for what there is.',
  },
  'unsafe-bind': {
    http: 500,
    grpc: 9,
    oci: 'DENIED',
    exit: 2,
    retryable: false,
    meaning: 'The server would listen beyond this machine without any authentication configured.',
    fix: 'Listen on 127.0.0.1, or add auth.tokens to tidemark.yaml (docs/configuration.md shows how).',
  },
  'address-in-use': {
    http: 500,
    grpc: 9,
    oci: 'UNAVAILABLE',
    exit: 3,
    retryable: true,
    meaning: 'The address to listen on is taken or not ours.',
    fix: 'Stop the other program, or choose another with --listen HOST:PORT.',
  },
  cancelled: {
    http: 499,
    grpc: 1,
    oci: 'UNAVAILABLE',
    exit: 3,
    retryable: true,
    meaning: 'The caller gave up before there was an answer.',
    fix: 'Ask again.',
  },
  internal: {
    http: 500,
    grpc: 13,
    oci: 'UNKNOWN',
    exit: 3,
    retryable: false,
    meaning: 'A mistake in Tidemark itself.',
    fix: 'Please report it with the output of the same command with TIDEMARK_DEBUG=1 set.',
  },
} as const satisfies Record<string, FaultKind>

/** The code of a {@link Fault}. */
export type FaultCode = keyof typeof faultCatalog
