import { type DescField, type DescMessage, type JsonValue, type MessageShape, toJson } from '@bufbuild/protobuf'
import { EmptySchema, TimestampSchema } from '@bufbuild/protobuf/wkt'

/** A message by the names that the generated code gives its fields. */
type Fields = Readonly<Record<string, unknown>>

/**
 * A message as grpc-gateway v2 writes it (its `runtime/marshaler_registry.go`: proto3 JSON with unset fields emitted): `""`, `0`,
 * `[]`, `{}`, and `null` for a message that is not there. 64-bit numbers are strings, times have 0, 3, 6 or 9 digits and `Z`, and a
 * member of a oneof is there when it is set. Fields come in the order of their declaration.
 */
export function toGatewayJson<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonValue {
  return writeMessage(schema, message as unknown as Fields)
}

function writeMessage(schema: DescMessage, message: Fields): JsonValue {
  if (schema.typeName === TimestampSchema.typeName) return toJson(TimestampSchema, message as never)
  if (schema.typeName === EmptySchema.typeName) return {}
  const body: Record<string, JsonValue> = {}
  for (const field of schema.fields) {
    if (field.oneof === undefined) body[field.jsonName] = writeField(message[field.localName], field)
    else {
      const chosen = message[field.oneof.localName] as { readonly case?: string; readonly value?: unknown }
      if (chosen.case === field.localName) body[field.jsonName] = writeField(chosen.value, field)
    }
  }
  return body
}

function writeField(value: unknown, field: DescField): JsonValue {
  switch (field.fieldKind) {
    case 'message':
      return value === undefined ? null : writeMessage(field.message, value as Fields)
    case 'list':
      return (value as readonly unknown[]).map((item) => writeValue(item, field))
    case 'map': {
      const entries = Object.entries(value as Fields).map(([key, item]): [string, JsonValue] => [
        key,
        writeValue(item, field),
      ])
      return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
    }
    default:
      return writeValue(value, field)
  }
}

function writeValue(value: unknown, field: DescField): JsonValue {
  if (field.enum !== undefined) return field.enum.value[value as number]?.name ?? (value as number)
  if (field.message !== undefined) return writeMessage(field.message, value as Fields)
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return value as string | number | boolean
}
