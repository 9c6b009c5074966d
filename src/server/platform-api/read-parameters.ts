import { create, type DescField, type DescMessage, fromJson, type MessageShape, ScalarType } from '@bufbuild/protobuf'
import { type ReflectMessage, reflect, type ScalarValue } from '@bufbuild/protobuf/reflect'
import { TimestampSchema } from '@bufbuild/protobuf/wkt'
import { Fault, oneLine } from '../../core/fault.js'
import { parseTime } from '../../core/time.js'

/** Steps of a dotted name: no request here is deeper than two. */
const maxDepth = 8

/**
 * Fills a message from the parameters of a query or form, as grpc-gateway v2 `runtime/query.go` does: proto names and camel case,
 * messages within messages with dots, lists by repeating. What nobody knows is left alone.
 * @param message filled in place
 * @param fixed fields that the path has filled: a parameter does not change them
 * @throws Fault `invalid-argument` for a field given twice, and for a value that is none
 */
export function readParameters<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  parameters: URLSearchParams,
  fixed: ReadonlySet<string> = new Set(),
): void {
  const found = new Map<string, { readonly path: readonly DescField[]; readonly values: string[] }>()
  for (const [key, value] of parameters) {
    const path = pathOf(schema, key)
    if (path === null || fixed.has(path[0]?.name ?? '')) continue
    // Both spellings of a name are one parameter.
    const name = path.map((field) => field.name).join('.')
    const entry = found.get(name) ?? { path, values: [] }
    entry.values.push(value)
    found.set(name, entry)
  }
  const root = reflect(schema, message)
  for (const [name, { path, values }] of found) setField(root, path, values, name)
}

/** The inverse of a name with dots; null where a step of it is no field. */
function pathOf(schema: DescMessage, key: string): DescField[] | null {
  const path: DescField[] = []
  const steps = key.split('.')
  if (steps.length > maxDepth) return null
  let desc: DescMessage | undefined = schema
  for (const step of steps) {
    const field: DescField | undefined = desc?.fields.find(({ name, jsonName }) => name === step || jsonName === step)
    if (field === undefined) return null
    path.push(field)
    desc = field.fieldKind === 'message' ? field.message : undefined
  }
  return path
}

function setField(root: ReflectMessage, path: readonly DescField[], values: readonly string[], name: string): void {
  let message = root
  for (const field of path.slice(0, -1)) {
    if (field.fieldKind !== 'message') return
    if (!message.isSet(field)) message.set(field, reflect(field.message, create(field.message)))
    message = message.get(field)
  }
  const field = path.at(-1)
  if (field?.fieldKind === 'list' && field.listKind === 'scalar') {
    const list = message.get(field)
    for (const value of values) list.add(scalarOf(field.scalar, value, name))
    return
  }
  if (values.length > 1) throw new Fault('invalid-argument', `${name} is given more than once`)
  const value = values[0] ?? ''
  if (field?.fieldKind === 'scalar') message.set(field, scalarOf(field.scalar, value, name))
  else if (field?.fieldKind === 'enum') message.set(field, enumOf(field, value, name))
  else if (field?.fieldKind === 'message' && field.message.typeName === TimestampSchema.typeName) {
    message.set(field, reflect(TimestampSchema, timestampOf(value, name)))
  } else throw new Fault('invalid-argument', `${name} is not a field that a parameter can fill`)
}

/** As Go's `strconv.ParseBool`, which the gateway uses. */
const booleans: Readonly<Record<string, boolean>> = {
  ...{ 1: true, t: true, T: true, true: true, TRUE: true, True: true },
  ...{ 0: false, f: false, F: false, false: false, FALSE: false, False: false },
}

function scalarOf(type: ScalarType, text: string, name: string): ScalarValue {
  if (type === ScalarType.STRING) return text
  if (type === ScalarType.BOOL && Object.hasOwn(booleans, text)) return booleans[text] ?? false
  if (type === ScalarType.INT32 && /^-?\d{1,10}$/.test(text)) return Number(text)
  throw notOne(name, text)
}

function enumOf(field: DescField & { fieldKind: 'enum' }, text: string, name: string): number {
  const value = field.enum.values.find((entry) => entry.name === text || String(entry.number) === text)
  if (value === undefined) throw notOne(name, text)
  return value.number
}

/** In a query a `+` is a space: the sign of an offset that nobody escaped is given back. */
function timestampOf(text: string, name: string) {
  const given = text.replace(/ (\d{2}:\d{2})$/, '+$1')
  try {
    // It also refuses the 30th of February; the other refuses a date alone.
    parseTime(given)
    return fromJson(TimestampSchema, given)
  } catch (cause) {
    throw new Fault('invalid-argument', `${name} is not a time: '${oneLine(text.slice(0, 60))}'`, {
      cause,
      fix: 'Write it as RFC 3339 has it: 2026-05-01T12:00:00Z.',
    })
  }
}

function notOne(name: string, text: string): Fault {
  return new Fault('invalid-argument', `not a value of ${name}: '${oneLine(text.slice(0, 60))}'`)
}
