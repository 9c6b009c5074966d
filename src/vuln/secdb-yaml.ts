import { Fault, oneLine } from '../core/fault.js'

/**
 * Parses YAML, all scalars as text. Files of secdb are plain enough to be read line by line, which costs a tenth; all else goes to
 * the parser.
 * @throws Fault `broken-answer`
 */
export async function parseSecdbYaml(text: string): Promise<unknown> {
  const plain = readPlain(text)
  if (plain !== null) return plain
  const { parse } = await import('yaml')
  try {
    // Aliases of aliases would grow without end.
    // All as text: a version such as 1.10 is no number.
    return parse(text, { schema: 'failsafe', maxAliasCount: 100, logLevel: 'error' })
  } catch (cause) {
    throw new Fault(
      'broken-answer',
      `it is no YAML: ${oneLine(String(cause instanceof Error ? cause.message : cause))}`,
    )
  }
}

interface PlainPackage {
  name?: string
  readonly secfixes: Record<string, string[]>
}

/**
 * A scalar on one line: in quotes without escapes, or plain without anything that YAML reads as more than itself (a colon or
 * hash beside a space, an indicator at its start: YAML 1.2.2, "Plain Style").
 */
const scalar = String.raw`(?:"([^"\\]*)"|'([^']*)'|([A-Za-z0-9](?:[^:#]|:(?=\S)|(?<=\S)#)*?))`
const patterns = {
  header: new RegExp(`^(distroversion|reponame|urlprefix|apkurl): +${scalar}$`),
  name: new RegExp(`^name: +${scalar}$`),
  version: new RegExp(`^${scalar}:$`),
  item: new RegExp(`^- +${scalar}$`),
}

/** Null for a text with a line that is not of the usual form. */
function readPlain(text: string): unknown {
  const header: Record<string, string> = {}
  const packages: { readonly pkg: PlainPackage }[] = []
  let place: 'header' | 'archs' | 'packages' | 'package' | 'secfixes' = 'header'
  let versionIndent = -1
  let ids: string[] = []
  for (const raw of text.split('\n')) {
    const content = raw.trim()
    if (content === '' || content === '---' || content.startsWith('#')) continue
    const indent = raw.length - raw.trimStart().length
    const isTop = indent === 0
    const current = packages.at(-1)?.pkg
    if (content === '- pkg:' && place !== 'header' && place !== 'archs') {
      packages.push({ pkg: { secfixes: {} } })
      place = 'package'
    } else if (place === 'secfixes' && current !== undefined) {
      const item = patterns.item.exec(content)
      const version = item === null ? patterns.version.exec(content) : null
      if (item !== null && versionIndent >= 0 && indent >= versionIndent) ids.push(textOf(item))
      else if (version !== null && (versionIndent < 0 || indent === versionIndent)) {
        versionIndent = indent
        // YAML allows a key once: the parser says so.
        if (Object.hasOwn(current.secfixes, textOf(version))) return null
        ids = []
        current.secfixes[textOf(version)] = ids
      } else return null
    } else if (place === 'package' && current !== undefined) {
      const name = patterns.name.exec(content)
      if (name !== null && current.name === undefined) current.name = textOf(name)
      else if (content === 'secfixes:') {
        place = 'secfixes'
        versionIndent = -1
      } else return null
    } else if (isTop && content === 'archs:') place = 'archs'
    else if (isTop && content === 'packages:') place = 'packages'
    else if (isTop) {
      const match = patterns.header.exec(content)
      if (match === null) return null
      place = 'header'
      header[match[1] as string] = match[2] ?? match[3] ?? match[4] ?? ''
    } else if (place !== 'archs' || !patterns.item.test(content)) return null
  }
  return { ...header, packages }
}

function textOf(match: RegExpExecArray): string {
  return match[1] ?? match[2] ?? match[3] ?? ''
}
