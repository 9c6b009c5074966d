import type { ChainguardDiff } from './chainguard-diff.js'
import type { HistoryExport } from './history.js'

/** How to reach a server by the APIs that it has in common with Chainguard. */
export interface ChainguardApiOptions {
  /** `http://127.0.0.1:7070`, or `https://console-api.enforce.dev`. */
  readonly platform: string
  /** Where the registry is; the same server when left out. */
  readonly registry?: string
  /** A token for the platform; without one only what is public is read. */
  readonly token?: string
  /** A token for the registry, where it is another: `tidemark auth token --audience HOST`. That of the platform when left out. */
  readonly registryToken?: string
  /** `globalThis.fetch` by default. */
  readonly fetch?: typeof globalThis.fetch
}

/** Which part of a history is wanted. `limit`, `order` and `cursor` are Tidemark's own; others leave them alone. */
export interface TagHistoryOptions {
  /** ISO 8601, from then on. */
  readonly start?: string
  /** ISO 8601, before then. */
  readonly end?: string
  readonly limit?: number
  readonly order?: 'asc' | 'desc'
  /** Where the page before ended. */
  readonly cursor?: string
  readonly signal?: AbortSignal
}

/** A page of a history; `next` where more follow, as far as the server says so. */
export interface TagHistoryPage extends HistoryExport {
  readonly next: string | null
}

/** A repository as the platform shows it, with what a client of diffs and histories needs; others give more. */
export interface ChainguardRepo {
  /** Its UIDP; what stands before the last `/` is its organization's. */
  readonly id: string
  readonly name: string
}

/** What a server answered instead of what was asked for. */
export class ChainguardApiError extends Error {
  override readonly name = 'ChainguardApiError'
  readonly status: number
  /** Of the platform a gRPC status code, of the registry one of the OCI distribution specification; null where it gave none. */
  readonly code: number | string | null

  constructor(message: string, status: number, code: number | string | null) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** The APIs that a Tidemark server has in common with Chainguard: the same program reads from both. */
export interface ChainguardApi {
  /**
   * A page of the history of a tag, oldest first: the Tag History API, with a token of the registry for this repository.
   * @param repository `ORG/NAME`
   */
  history(repository: string, tag: string, options?: TagHistoryOptions): Promise<TagHistoryPage>
  /** The repositories that the caller may see; by exact name, and below an organization, where these are given. */
  repos(filter?: { name?: string; childrenOf?: string; signal?: AbortSignal }): Promise<readonly ChainguardRepo[]>
  /**
   * What changed between two images of a repository: the Image Diff API. Of an index `linux/amd64` is compared, or `platform`.
   * @param repositoryId UIDP
   */
  diff(
    repositoryId: string,
    fromDigest: string,
    toDigest: string,
    options?: { platform?: string; signal?: AbortSignal },
  ): Promise<ChainguardDiff>
}

/**
 * A client of these APIs. Opens nothing by itself. Every call throws {@link ChainguardApiError} for an answer that is an error, and
 * what `fetch` throws when there is none.
 */
export function createChainguardApi(options: ChainguardApiOptions): ChainguardApi {
  const { platform, registry = platform, token } = options
  const registryTokens = createRegistryTokens(options)
  const send = options.fetch ?? globalThis.fetch
  const ask = async (url: URL, bearer: string | undefined, signal: AbortSignal | undefined) => {
    const headers = { accept: 'application/json', ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) }
    const response = await send(url, { headers, redirect: 'error', ...(signal && { signal }) })
    if (!response.ok) throw await readError(response)
    return response
  }
  return {
    async history(repository, tag, { signal, ...parameters } = {}) {
      const path = repository.split('/').map(encodeURIComponent).join('/')
      const url = withQuery(new URL(`/v2/${path}/_chainguard/history/${encodeURIComponent(tag)}`, registry), parameters)
      const response = await ask(url, await registryTokens(repository, signal), signal)
      return { ...((await response.json()) as HistoryExport), next: nextCursor(response) }
    },
    async repos({ name, childrenOf, signal } = {}) {
      const url = withQuery(new URL('/registry/v1/repos', platform), { name, 'uidp.childrenOf': childrenOf })
      return ((await (await ask(url, token, signal)).json()) as { items: ChainguardRepo[] }).items
    },
    async diff(repositoryId, fromDigest, toDigest, { platform: image, signal } = {}) {
      const url = new URL(`/registry/v1/repos/${repositoryId}/diff`, platform)
      const asked = withQuery(url, { from_digest: fromDigest, to_digest: toDigest, platform: image })
      return (await (await ask(asked, token, signal)).json()) as ChainguardDiff
    },
  }
}

/** A token of the registry for one repository, kept until half a minute before it ends. */
function createRegistryTokens({
  platform,
  registry = platform,
  token,
  registryToken = token,
  ...more
}: ChainguardApiOptions) {
  const send = more.fetch ?? globalThis.fetch
  const kept = new Map<string, { readonly token: string; readonly until: number }>()
  return async (repository: string, signal: AbortSignal | undefined): Promise<string> => {
    const known = kept.get(repository)
    if (known !== undefined && Date.now() < known.until) return known.token
    const url = withQuery(new URL('/token', registry), {
      service: new URL(registry).host,
      scope: `repository:${repository}:pull`,
    })
    const headers = registryToken === undefined ? {} : { authorization: `Basic ${btoa(`_token:${registryToken}`)}` }
    const response = await send(url, { headers, redirect: 'error', ...(signal && { signal }) })
    if (!response.ok) throw await readError(response)
    const { token: made, expires_in: lifetimeS = 60 } = (await response.json()) as {
      token: string
      expires_in?: number
    }
    kept.set(repository, { token: made, until: Date.now() + (lifetimeS - 30) * 1000 })
    return made
  }
}

function withQuery(url: URL, parameters: Readonly<Record<string, string | number | undefined>>): URL {
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(key, String(value))
  }
  return url
}

/** `{"code","message"}` of the platform, `{"errors":[{"code","message","detail"}]}` of the registry. */
async function readError(response: Response): Promise<ChainguardApiError> {
  const text = await response.text()
  const otherwise = new ChainguardApiError(`the server answered ${response.status}`, response.status, null)
  try {
    const body = JSON.parse(text) as Readonly<Record<string, unknown>>
    const first = Array.isArray(body.errors) ? (body.errors[0] as Readonly<Record<string, unknown>> | undefined) : body
    const { code, message } = first ?? {}
    if (typeof message !== 'string') return otherwise
    return new ChainguardApiError(
      message,
      response.status,
      typeof code === 'number' || typeof code === 'string' ? code : null,
    )
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return otherwise
    throw error
  }
}

function nextCursor(response: Response): string | null {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get('link') ?? '')?.[1]
  return target === undefined ? null : new URL(target, response.url).searchParams.get('cursor')
}
