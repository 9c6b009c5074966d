import { type Static, Type } from 'typebox'
import { parseDuration } from '../core/time.js'

const closed = { additionalProperties: false } as const
const duration = (description: string) => Type.String({ pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h))+$', description })

const condition = Type.Object(
  {
    method: Type.Optional(Type.String({ description: 'GET, HEAD, PUT …; any when left out' })),
    path: Type.Optional(Type.String({ description: 'the path; `*` stands for any characters; any when left out' })),
    query: Type.Optional(Type.String({ description: 'a part of the query string' })),
    authorized: Type.Optional(Type.Boolean({ description: 'whether the request carries an Authorization header' })),
  },
  closed,
)

const misdeed = Type.Object(
  {
    delay: Type.Optional(duration('wait that long before going on')),
    reset: Type.Optional(Type.Boolean({ description: 'break the connection off without an answer' })),
    status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599, description: 'answer with this status' })),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description:
          'set these headers; an empty value takes one away; `{time+5s}` becomes an HTTP date, `{unix+5s}` seconds',
      }),
    ),
    body: Type.Optional(Type.String({ description: 'answer with this body' })),
    corrupt: Type.Optional(Type.Boolean({ description: 'change the last byte of the body' })),
    truncate: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'break off after that many bytes of the body, with Content-Length of the whole',
      }),
    ),
    slow: Type.Optional(duration('send the body byte by byte, with that pause between')),
    digest: Type.Optional(Type.String({ description: 'Docker-Content-Digest says this; `none` takes it away' })),
  },
  closed,
)

const rule = Type.Object(
  {
    when: Type.Optional(condition),
    skip: Type.Optional(Type.Integer({ minimum: 0, description: 'let that many matching requests pass first' })),
    times: Type.Optional(Type.Integer({ minimum: 1, description: 'then do it that often; always when left out' })),
    share: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'of the matching requests, at random by `seed`' }),
    ),
    do: misdeed,
  },
  closed,
)

/** What `tidemark registry serve --script FILE` reads: how the registry behaves, and how it misbehaves. */
export const scriptSchema = Type.Object(
  {
    auth: Type.Optional(
      Type.Union([Type.Literal('none'), Type.Literal('basic'), Type.Literal('bearer')], {
        description: 'what the registry asks for; `none` by default',
      }),
    ),
    users: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'user names and passwords; with `bearer` and none, anybody gets a token',
      }),
    ),
    tokenLifetime: Type.Optional(duration('of Bearer tokens; 300s by default')),
    latency: Type.Optional(duration('before each answer')),
    samples: Type.Optional(Type.Boolean({ description: 'hold the sample images; true by default' })),
    referrers: Type.Optional(Type.Boolean({ description: 'serve the referrers API; true by default' })),
    pageSize: Type.Optional(Type.Integer({ minimum: 1, description: 'most tags of one page; 1000 by default' })),
    links: Type.Optional(
      Type.Union([Type.Literal('relative'), Type.Literal('absolute'), Type.Literal('loop'), Type.Literal('foreign')], {
        description: 'the form of Link headers; `relative` by default',
      }),
    ),
    digests: Type.Optional(
      Type.Union([Type.Literal('live'), Type.Literal('frozen')], {
        description:
          'lists of tags say what each points at, as those of Google’s registries do (`kind: gar`); `frozen`: what it pointed at when it was first listed',
      }),
    ),
    moves: Type.Optional(
      Type.Array(Type.Object({ tag: Type.String(), after: duration('since the start') }, closed), {
        description: 'tags that move to their next sample by themselves',
      }),
    ),
    seed: Type.Optional(Type.Integer({ description: 'of `share`' })),
    rules: Type.Optional(Type.Array(rule, { description: 'the first that matches is done' })),
  },
  closed,
)

/** A script that passed {@link scriptSchema}. */
export type Script = Static<typeof scriptSchema>
/** What a rule does to a request. */
export type Misdeed = Static<typeof misdeed>

/** What a rule may look at. */
export interface RuleRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly authorized: boolean
}

/**
 * The rules of a script with their counters: gives what is to be done to each request, in the order of the rules.
 * @param random for `share`
 */
export function createRules(
  rules: Script['rules'],
  random: () => number,
): (request: RuleRequest) => Misdeed | undefined {
  const states = (rules ?? []).map((entry) => ({ entry, path: globPattern(entry.when?.path), seen: 0, done: 0 }))
  return (request) => {
    for (const state of states) {
      const { when, skip = 0, times = Number.POSITIVE_INFINITY, share = 1 } = state.entry
      if (when?.method !== undefined && when.method.toUpperCase() !== request.method) continue
      if (!state.path.test(request.path)) continue
      if (when?.query !== undefined && !request.query.includes(when.query)) continue
      if (when?.authorized !== undefined && when.authorized !== request.authorized) continue
      if (state.seen++ < skip || state.done >= times || random() >= share) continue
      state.done++
      return state.entry.do
    }
    return undefined
  }
}

/** Replaces `{time+5s}` and `{unix+5s}` in a header's value. */
export function expandTimes(value: string, nowMs: number): string {
  return value.replace(/\{(time|unix)\+([^}]+)\}/g, (_, form: string, delay: string) => {
    const timeMs = nowMs + parseDuration(delay)
    return form === 'time' ? new Date(timeMs).toUTCString() : String(Math.ceil(timeMs / 1000))
  })
}

function globPattern(glob: string | undefined): RegExp {
  if (glob === undefined) return /^/
  return new RegExp(
    `^${glob
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )
}
