import { readFile } from 'node:fs/promises'
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { Fault, type FaultCode, oneLine } from '../core/fault.js'

/**
 * Reads a YAML file and holds it against `schema`. What is wrong is told with file, line and key.
 * @param code of the fault: `invalid-config`, `invalid-script`
 * @throws Fault `file-unreadable`, `code`
 */
export async function readYaml<Schema extends TSchema>(
  path: string,
  schema: Schema,
  code: FaultCode,
): Promise<Static<Schema>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable'
    throw new Fault('file-unreadable', `cannot read ${path}: ${readableErrno(why)}`, { cause })
  }
  return parseYaml(text, path, schema, code)
}

/** The same for a text; `name` is what messages call it. */
export function parseYaml<Schema extends TSchema>(
  text: string,
  name: string,
  schema: Schema,
  code: FaultCode,
): Static<Schema> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const syntaxError = document.errors[0]
  if (syntaxError !== undefined) {
    const { line } = lines.linePos(syntaxError.pos[0])
    throw new Fault(code, `${name}:${line}: ${oneLine(syntaxError.message)}`, { data: { file: name, line } })
  }
  const value = toValue(document, name, code)
  const checker = Compile(schema)
  if (checker.Check(value)) return value as Static<Schema>
  const problem = describeProblem(checker.Errors(value) as SchemaError[])
  const line = lineOf(document.contents, problem.path, lines)
  const key = problem.path.join('.')
  throw new Fault(code, `${name}:${line}: ${key === '' ? 'the file' : key}: ${problem.what}`, {
    data: { file: name, line, key },
  })
}

function toValue(document: ReturnType<typeof parseDocument>, name: string, code: FaultCode): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (cause) {
    throw new Fault(code, `${name}:1: its aliases cannot be resolved, or are too many`, { cause })
  }
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly schemaPath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message: string
}

function describeProblem(errors: readonly SchemaError[]): { path: string[]; what: string } {
  const unknownKey = errors.find((error) => error.keyword === 'boolean' && error.message === 'schema is false')
  const error = unknownKey ?? errors.find((candidate) => candidate.keyword === 'anyOf') ?? errors[0]
  if (error === undefined) return { path: [], what: 'is not what it should be' }
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'))
  if (error === unknownKey) return { path, what: 'unknown key' }
  if (error.keyword === 'required') {
    const missing = error.params.requiredProperties
    return { path, what: `${Array.isArray(missing) ? missing.join(', ') : 'a key'} is missing` }
  }
  if (error.keyword === 'anyOf') {
    const allowed = errors
      .filter((other) => other.instancePath === error.instancePath && other.keyword === 'const')
      .map((other) => String(other.params.allowedValue))
    return { path, what: allowed.length > 0 ? `must be one of ${allowed.join(', ')}` : 'has the wrong form' }
  }
  const { allowedValues } = error.params
  if (error.keyword === 'enum' && Array.isArray(allowedValues))
    return { path, what: `must be one of ${allowedValues.join(', ')}` }
  if (error.keyword === 'pattern') return { path, what: 'has the wrong form: docs/configuration.md says which it has' }
  return { path, what: error.message }
}

/** The line of the key at `path`, or of the nearest thing above it that is in the file. */
function lineOf(root: Node | null, path: readonly string[], lines: LineCounter): number {
  let node: unknown = root
  let line = 1
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === part)
      if (pair === undefined || !isScalar(pair.key)) return line
      line = lines.linePos(pair.key.range?.[0] ?? 0).line
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(part)]
      line = lines.linePos((node as Node | undefined)?.range?.[0] ?? 0).line
    } else return line
  }
  return line
}

function readableErrno(code: string): string {
  const names: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
  }
  return names[code] ?? code
}
