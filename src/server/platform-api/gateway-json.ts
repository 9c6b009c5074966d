import { type DescField, type DescMessage, type JsonValue, type MessageShape, toJson } from '@bufbuild/protobuf'
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import { EmptySchema, TimestampSchema } from '@bufbuild/protobuf/wkt'

/**
 * A message as grpc-gateway v2 writes it (its `runtime/marshaler_registry.go`: proto3 JSON with unset fields emitted): `""`, `0`,
 * `[]`, `{}`, and `null` for a message that is not there. 64-bit numbers are strings, times have 0, 3, 6 or 9 digits and `Z`, and a
 * member of a oneof is there when it is set. Fields come in the order of their declaration.
 */
export function toGatewayJson<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonValue {
  return writeMessage(reflect(schema, message))
}

function writeMessage(message: ReflectMessage): JsonValue {
  const { desc } = message
  if (desc.typeName === TimestampSchema.typeName) return toJson(TimestampSchema, message.message as never)
  if (desc.typeName === EmptySchema.typeName) return {}
  const body: Record<string, JsonValue> = {}
  for (const field of desc.fields) {
    if (field.oneof !== undefined && !message.isSet(field)) continue
    body[field.jsonName] = writeField(message, field)
  }
  return body
}

function writeField(message: ReflectMessage, field: DescField): JsonValue {
  switch (field.fieldKind) {
    case 'message':
      return message.isSet(field) ? writeMessage(message.get(field)) : null
    case 'list':
      return [...message.get(field)].map((item) => writeValue(item, field))
    case 'map': {
      const entries = [...message.get(field)].map(([key, item]): [string, JsonValue] => [
        String(key),
        writeValue(item, field),
      ])
      return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
    }
    default:
      return writeValue(message.get(field), field)
  }
}

function writeValue(value: unknown, field: DescField): JsonValue {
  if (field.enum !== undefined) return field.enum.value[value as number]?.name ?? (value as number)
  if (field.message !== undefined) return writeMessage(value as ReflectMessage)
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return value as string | number | boolean
}
