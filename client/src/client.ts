import type { TidemarkEvent } from './event.js'
import { readEvents } from './event-stream.js'
import type { Problem } from './problem.js'
import { type CallName, type Calls, eventsPath, routes } from './routes.js'

/** How to reach a Tidemark server. */
export interface ClientOptions {
  /** `http://127.0.0.1:7070` */
  readonly url: string
  readonly token?: string
  /** `globalThis.fetch` by default. */
  readonly fetch?: typeof globalThis.fetch
}

/** An answer, with the cursor of the page after it where there is one. */
export interface Answer<Body> {
  readonly body: Body
  readonly next: string | null
}

/** What a server refused, or could not do. `problem` is its own account of it. */
export class TidemarkError extends Error {
  override readonly name = 'TidemarkError'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

/** A Tidemark server, spoken to by its native API. */
export interface Client {
  /**
   * Makes one call.
   * @throws TidemarkError when the server answers with an error; what `fetch` throws when there is no answer
   */
  call<Name extends CallName>(
    name: Name,
    input: Calls[Name]['input'],
    options?: { signal?: AbortSignal },
  ): Promise<Answer<Calls[Name]['output']>>
  /** Events after `after` (all that come from now on by default), until `signal` aborts or the server ends the stream. */
  events(options?: { after?: number; signal?: AbortSignal }): AsyncIterable<TidemarkEvent>
}

/** A client of the server at `options.url`. Opens nothing by itself. */
export function createClient(options: ClientOptions): Client {
  const send = options.fetch ?? globalThis.fetch
  const authorization: Record<string, string> =
    options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }
  return {
    async call(name, input, { signal } = {}) {
      const { method, path } = routes[name]
      const url = new URL(path, options.url)
      const isPost = method === 'POST'
      if (!isPost) addQuery(url, input)
      const response = await send(url, {
        method,
        headers: {
          accept: 'application/json',
          ...authorization,
          ...(isPost && { 'content-type': 'application/json' }),
        },
        redirect: 'error',
        ...(isPost && { body: JSON.stringify(input) }),
        ...(signal && { signal }),
      })
      if (!response.ok) throw await readProblem(response)
      return { body: (await response.json()) as Calls[typeof name]['output'], next: nextCursor(response) }
    },
    async *events({ after, signal } = {}) {
      const response = await send(new URL(eventsPath, options.url), {
        headers: {
          accept: 'text/event-stream',
          ...authorization,
          ...(after !== undefined && { 'last-event-id': String(after) }),
        },
        redirect: 'error',
        ...(signal && { signal }),
      })
      if (!response.ok || response.body === null) throw await readProblem(response)
      yield* readEvents(response.body, signal)
    },
  }
}

function addQuery(url: URL, input: object): void {
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined) continue
    for (const item of Array.isArray(value) ? value : [value]) url.searchParams.append(key, String(item))
  }
}

async function readProblem(response: Response): Promise<TidemarkError> {
  const text = await response.text()
  try {
    const problem = JSON.parse(text) as Problem
    if (typeof problem.code === 'string' && typeof problem.detail === 'string') return new TidemarkError(problem)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return new TidemarkError({
    type: 'about:blank',
    title: 'not a Tidemark server',
    status: response.status,
    detail: `${new URL(response.url).host} answered ${response.status} and is no Tidemark server, or a proxy stands between`,
    code: 'broken-answer',
    fix: 'Check the address.',
  })
}

function nextCursor(response: Response): string | null {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get('link') ?? '')?.[1]
  return target === undefined ? null : new URL(target, response.url).searchParams.get('cursor')
}
