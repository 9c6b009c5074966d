import { create, type DescMessage, fromJson, type JsonValue, type Message } from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Fault, oneLine } from '../../core/fault.js'
import { limits } from '../../core/limits.js'
import { abortedWith } from '../aborted-with.js'
import { warningHeader } from '../bind.js'
import { isUnchanged } from '../registry-api/conditional.js'
import { toGatewayJson } from './gateway-json.js'
import type { HttpBinding, PlatformMethod } from './method.js'
import type { CallOpener } from './open-call.js'
import { compilePathTemplate, type PathVariables } from './path-template.js'
import { readParameters } from './read-parameters.js'
import { noSuchMethod, noSuchPath, sendRpcError, sendRpcStatus } from './status.js'

interface Route {
  readonly method: PlatformMethod
  readonly binding: HttpBinding
  match(steps: readonly string[]): PathVariables | null
}

/** What a request asks for. */
interface Target {
  readonly route: Route
  readonly variables: PathVariables
}

const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const formType = 'application/x-www-form-urlencoded'

const prefixes = ['registry', 'iam', 'auth', 'ping', 'sts']
const gatewayPath = new RegExp(`^/(?:${prefixes.join('|')})(?:[/?]|$)`)

/** Whether a path is the gateway's, so that what is wrong with it is told in its words. */
export function isGatewayPath(url: string): boolean {
  return gatewayPath.test(url)
}

/**
 * The calls of the platform API over REST, with the habits of grpc-gateway v2: its paths, parameters, bodies and errors. What is not
 * documented there is in docs/compatibility.md.
 */
export function addGateway(app: FastifyInstance, methods: readonly PlatformMethod[], open: CallOpener): void {
  const routes = methods.flatMap((method) =>
    method.http.map((binding): Route => ({ method, binding, match: compilePathTemplate(binding.path) })),
  )
  void app.register((gateway, _, done) => {
    gateway.removeAllContentTypeParsers()
    gateway.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: limits.rpcMessageBytes }, (_, body, parsed) => {
      parsed(null, body)
    })
    gateway.setErrorHandler(sendRpcError)
    for (const prefix of prefixes) {
      for (const url of [`/${prefix}`, `/${prefix}/*`]) {
        const handler = (request: FastifyRequest, reply: FastifyReply) => answer(request, reply, routes, open)
        gateway.route({ method: verbs, url, schema: { hide: true }, handler })
      }
    }
    done()
  })
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  routes: readonly Route[],
  open: CallOpener,
): Promise<FastifyReply> {
  const { url = '' } = request.raw
  const mark = url.indexOf('?')
  const found = findTarget(request, stepsOf(mark < 0 ? url : url.slice(0, mark)), routes)
  if ('code' in found) return sendRpcStatus(found, reply)
  const { method } = found.route
  const warnings: string[] = []
  const call = await open(method, request, {
    signal: abortedWith(reply),
    header: (name, value) => void reply.header(name, value),
    warn: (text) => warnings.push(text),
  })
  const message = readRequest(request, found, parametersOf(mark < 0 ? '' : url.slice(mark + 1)))
  const response = await method.run(message, call)
  if (warnings.length > 0) void reply.header('warning', warnings.map(warningHeader).join(', '))
  const etag = reply.getHeader('etag')
  if (typeof etag === 'string') {
    void reply.header('cache-control', 'private, no-cache')
    if (isUnchanged(request.headers['if-none-match'], etag)) return await reply.code(304).send()
  }
  const body = JSON.stringify(toGatewayJson(method.rpc.output, response as never))
  return await reply.header('content-type', 'application/json').send(Buffer.from(body))
}

/** The whole path is unescaped before it is cut: an escaped slash is a slash, as with the gateway's default. */
function stepsOf(path: string): string[] {
  try {
    return decodeURIComponent(path).slice(1).split('/')
  } catch (cause) {
    throw new Fault('invalid-argument', 'the path has a malformed escape', { cause })
  }
}

function findTarget(request: FastifyRequest, steps: readonly string[], routes: readonly Route[]) {
  const matching = routes.flatMap((route): Target[] => {
    const variables = route.match(steps)
    return variables === null ? [] : [{ route, variables }]
  })
  const withVerb = (verb: string) => matching.find(({ route }) => route.binding.verb === verb)
  const isForm = request.method === 'POST' && contentType(request) === formType
  const override = isForm ? request.headers['x-http-method-override'] : undefined
  const verb = typeof override === 'string' ? override.toUpperCase() : request.method
  const exact = withVerb(verb)
  // A form is no JSON: where the path takes one with POST, the GET of the same path is what was meant.
  const isWrong = exact === undefined || exact.route.binding.body !== undefined
  const target = isForm && isWrong ? (withVerb('GET') ?? exact) : exact
  return target ?? (matching.length > 0 ? noSuchMethod() : noSuchPath())
}

function readRequest(request: FastifyRequest, { route, variables }: Target, query: URLSearchParams): Message {
  const schema: DescMessage = route.method.rpc.input
  const { body: field } = route.binding
  const isForm = contentType(request) === formType
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const message = field === '*' || (field === undefined && !isForm) ? parse(schema, bytes) : create(schema)
  if (field !== undefined && field !== '*') setBody(schema, message, field, bytes)
  if (field !== '*') {
    const parameters = new URLSearchParams(query)
    if (isForm && field === undefined)
      for (const [key, value] of parametersOf(bytes.toString())) parameters.append(key, value)
    readParameters(schema, message, parameters, new Set([...Object.keys(variables), ...(field ? [field] : [])]))
  }
  readParameters(schema, message, new URLSearchParams(variables))
  return message
}

function setBody(schema: DescMessage, message: Message, name: string, bytes: Buffer): void {
  const field = schema.fields.find((entry) => entry.name === name)
  if (field?.fieldKind !== 'message') throw new Fault('internal', `${schema.typeName} has no message ${name}`)
  reflect(schema, message).set(field, reflect(field.message, parse(field.message, bytes)))
}

/** @throws Fault `invalid-argument` */
function parse(schema: DescMessage, bytes: Buffer): Message {
  if (bytes.length === 0) return create(schema)
  try {
    return fromJson(schema, JSON.parse(bytes.toString('utf8')) as JsonValue, { ignoreUnknownFields: true })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : ''
    throw new Fault('invalid-argument', `the body cannot be read: ${oneLine(why.slice(0, 200))}`, { cause })
  }
}

/** @throws Fault `invalid-argument` for a malformed escape */
function parametersOf(text: string): URLSearchParams {
  if (/%(?![0-9a-f]{2})/i.test(text)) throw new Fault('invalid-argument', 'the parameters have a malformed escape')
  return new URLSearchParams(text)
}

function contentType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}
