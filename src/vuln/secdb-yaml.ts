import { Fault, oneLine } from '../core/fault.js'

/**
 * Parses YAML. Files of secdb are plain enough to be read line by line, thirty times as fast; all else goes to the parser.
 * @throws Fault `broken-answer`
 */
export async function parseSecdbYaml(text: string): Promise<unknown> {
  const plain = readPlain(text)
  if (plain !== null) return plain
  const { parse } = await import('yaml')
  try {
    // Aliases of aliases would grow without end.
    return parse(text, { maxAliasCount: 100, logLevel: 'silent' })
  } catch (cause) {
    throw new Fault(
      'broken-answer',
      `it is no YAML: ${oneLine(String(cause instanceof Error ? cause.message : cause))}`,
    )
  }
}

interface PlainPackage {
  readonly pkg: { name: string; readonly secfixes: Record<string, string[]> }
}

/** Scalars without quotes, or in quotes without escapes, and without anything that YAML reads as more than itself. */
const scalar = String.raw`(?:"([^"\\]*)"|'([^']*)'|([A-Za-z0-9][^#:"'{}\[\],&*!|>%@\x60]*))`
const patterns = {
  header: new RegExp(`^(distroversion|reponame|urlprefix|apkurl): *(?:${scalar}|(https?://\\S+)) *$`),
  package: /^ {2}- pkg:$/,
  name: new RegExp(`^ {6}name: *${scalar} *$`),
  secfixes: /^ {6}secfixes:$/,
  version: new RegExp(`^ {8}${scalar}: *$`),
  id: new RegExp(`^ {8,10}- +${scalar} *$`),
}

/** Null for a text with a line that is not of the usual form. */
function readPlain(text: string): unknown {
  const header: Record<string, string> = {}
  const packages: PlainPackage[] = []
  let state: 'header' | 'list' | 'package' | 'secfixes' = 'header'
  let current: PlainPackage['pkg'] | undefined
  let ids: string[] | undefined
  for (const raw of text.split('\n')) {
    const line = raw.trimEnd()
    if (line === '' || line === '---' || /^\s*#/.test(line)) continue
    if (state === 'header') {
      const match = patterns.header.exec(line)
      if (match !== null) header[match[1] as string] = match[2] ?? match[3] ?? match[4] ?? match[5] ?? ''
      else if (line === 'packages:') state = 'list'
      else if (!/^(?:archs:|\s+- +[\w]+)$/.test(line)) return null
    } else if (patterns.package.test(line)) {
      current = { name: '', secfixes: {} }
      packages.push({ pkg: current })
      state = 'package'
    } else if (current === undefined) return null
    else if (state === 'package') {
      const name = patterns.name.exec(line)
      if (name !== null) current.name = textOf(name)
      else if (patterns.secfixes.test(line)) {
        state = 'secfixes'
        ids = undefined
      } else return null
    } else {
      const id = patterns.id.exec(line)
      const version = id === null ? patterns.version.exec(line) : null
      if (id !== null && ids !== undefined) ids.push(textOf(id).trim())
      else if (version !== null) {
        const key = textOf(version).trim()
        // YAML allows a key once: the parser says so.
        if (Object.hasOwn(current.secfixes, key)) return null
        ids = []
        current.secfixes[key] = ids
      } else return null
    }
  }
  return { ...header, packages }
}

function textOf(match: RegExpExecArray): string {
  return match[1] ?? match[2] ?? match[3] ?? ''
}
