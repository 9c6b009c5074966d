import {
  create,
  type DescField,
  type JsonObject,
  type JsonValue,
  type MessageInitShape,
  toJson,
} from '@bufbuild/protobuf'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import type { HttpBinding, PlatformMethod } from '../../src/server/platform-api/method.js'

/** What came of a call of the platform API. */
export interface PlatformAnswer {
  /** Of gRPC; 0 when it went well. */
  readonly code: number
  readonly body: JsonValue
}

/** Calls a method over REST, where a binding puts the fields of `request`. */
export async function callRest(
  url: string,
  method: PlatformMethod,
  binding: HttpBinding,
  request: object,
  authorization: string | null,
): Promise<PlatformAnswer> {
  const { input } = method.rpc
  const fields = toJson(input, create(input, request as MessageInitShape<typeof input>)) as JsonObject
  const take = (name: string): JsonValue | undefined => {
    const { jsonName } = input.fields.find((field: DescField) => field.name === name) as DescField
    const value = fields[jsonName]
    delete fields[jsonName]
    return value
  }
  const path = binding.path.replace(/\{(\w+)=\*+\}/g, (_, name: string) => String(take(name) ?? ''))
  const content = binding.body === undefined ? undefined : binding.body === '*' ? fields : (take(binding.body) ?? {})
  const query = binding.body === undefined ? new URLSearchParams(parametersOf(fields)) : ''
  const response = await fetch(`${url}${path}?${query}`, {
    method: binding.verb,
    headers: { ...(authorization && { authorization }), ...(content && { 'content-type': 'application/json' }) },
    ...(content && { body: JSON.stringify(content) }),
  })
  const body = (await response.json()) as { code?: number }
  return { code: response.status === 200 ? 0 : (body.code ?? -1), body: body as JsonValue }
}

/** Calls a method over gRPC. */
export async function callGrpc(
  url: string,
  { rpc }: PlatformMethod,
  request: object,
  authorization: string | null,
): Promise<PlatformAnswer> {
  const transport = createGrpcTransport({ baseUrl: url })
  const client = createClient(rpc.parent, transport) as unknown as Record<
    string,
    (...args: unknown[]) => Promise<never>
  >
  try {
    const headers = authorization === null ? {} : { authorization }
    const message = await client[rpc.localName]?.(request, { headers })
    return { code: 0, body: toJson(rpc.output, message as never) as JsonValue }
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    return { code: error.code ?? Code.Unknown, body: error.rawMessage }
  }
}

function parametersOf(fields: JsonObject, prefix = ''): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]): [string, string][] => {
    if (Array.isArray(value)) return value.map((item) => [`${prefix}${name}`, String(item)])
    if (typeof value === 'object' && value !== null) return parametersOf(value, `${prefix}${name}.`)
    return [[`${prefix}${name}`, String(value)]]
  })
}
