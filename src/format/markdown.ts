import type { ConfigDiff, ImageDiff, MapChange, SetChange, SizeDiff } from '../core/image-diff.js'
import type { ImageIdentity } from '../core/inventory.js'
import type { DiffFormat } from './format.js'

/** The longest comment that GitHub takes. */
const maxCharacters = 65_536
/** A longer value is cut: it is for the eye. */
const maxValueLength = 200
/** Room for what says that rows were left out, and for the ends of what is open. */
const reservedCharacters = 200

/** `-o markdown`: a comment on a pull request. A summary line, then the detail, folded. */
export const markdown: DiffFormat = {
  name: 'markdown',
  mediaType: 'text/markdown; charset=utf-8',
  write: (diff) => writeMarkdown(diff, maxCharacters),
}

/** A folded part of the detail. */
interface Section {
  readonly title: string
  /** Lines before the first row: a table's head. */
  readonly head: readonly string[]
  readonly rows: readonly string[]
}

/**
 * A diff as GitHub-flavored Markdown. The first line is a comment that marks it, so that a bot finds its own one again and
 * updates it. Everything from the images stands in code spans, in which nothing is markup, a link or a mention.
 * @param limit the most characters; rows beyond it are left out and counted
 */
export function writeMarkdown(diff: ImageDiff, limit: number): string {
  const lines = ['<!-- tidemark-diff -->', `**${summaryOf(diff)}**`, '', `${shown(diff.from)} → ${shown(diff.to)}`]
  if (!diff.complete)
    lines.push('', '> **Incomplete:** an image could be read only in part; packages may be missing here.')
  let left = limit - reservedCharacters - lines.join('\n').length
  for (const section of sectionsOf(diff)) {
    const open = ['', `<details><summary>${section.title}</summary>`, '', ...section.head]
    left -= open.join('\n').length + '\n\n\n</details>\n'.length
    if (left < reservedCharacters) {
      lines.push('', 'More was left out: it is longer than a comment may be.')
      break
    }
    const rows = rowsWithin(section.rows, left)
    left -= rows.join('\n').length + 1
    lines.push(...open, ...rows, '', '</details>')
  }
  return `${lines.join('\n')}\n`
}

function rowsWithin(rows: readonly string[], characters: number): readonly string[] {
  let left = characters
  const count = rows.findIndex((row) => {
    left -= row.length + 1
    return left < reservedCharacters
  })
  return count < 0 ? rows : [...rows.slice(0, count), '', `… and ${rows.length - count} more.`]
}

function summaryOf({ packages: { added, removed, changed }, size, sameButForTimestamps }: ImageDiff): string {
  const directions = (['up', 'down', 'rebuilt', 'unknown'] as const)
    .map((direction) => [direction, changed.filter((change) => change.direction === direction).length] as const)
    .filter(([, count]) => count > 0)
    .map(([direction, count]) => `${count} ${direction}`)
  const parts = [
    changed.length > 0 && `${counted(changed.length, 'package')} changed (${directions.join(', ')})`,
    added.length > 0 && `${added.length} added`,
    removed.length > 0 && `${removed.length} removed`,
  ].filter((part) => part !== false)
  const packages = parts.length === 0 ? 'No package differs' : parts.join(', ')
  const rest = sameButForTimestamps === true ? 'the same but for timestamps' : sizeChange(size)
  return rest === null ? packages : `${packages}; ${rest}`
}

function sizeChange({ compressedBytes: { from, to } }: SizeDiff): string | null {
  if (from === null || to === null) return null
  return from === to ? `${megabytes(to)}, as before` : `${megabytes(from)} → ${megabytes(to)}`
}

function shown({ reference, digest, platform }: ImageIdentity): string {
  const parts = [
    code(reference),
    digest === null || reference.includes(digest) ? '' : code(digest),
    platform === null ? '' : code(platform),
  ]
  return parts.filter((part) => part !== '').join(' ')
}

function sectionsOf(diff: ImageDiff): Section[] {
  const { packages, licenses, layers, files, platforms, warnings } = diff
  return [
    {
      title: `Changed packages (${packages.changed.length})`,
      head: tableHead('Package', 'From', 'To', 'Type'),
      rows: packages.changed.map(({ name, from, to, type, direction }) =>
        tableRow(code(name), code(from), `${code(to)}${direction === 'up' ? '' : ` (${direction})`}`, code(type)),
      ),
    },
    packageSection('Added packages', packages.added),
    packageSection('Removed packages', packages.removed),
    listSection('Licenses', [
      ...licenses.gained.map((license) => `gained ${code(license)}`),
      ...licenses.lost.map((license) => `lost ${code(license)}`),
    ]),
    listSection('Configuration', configLines(diff.config ?? {})),
    listSection('Platforms', platforms === null ? [] : setLines('', platforms)),
    listSection(
      'Layers',
      layers === null || layers.added.length + layers.removed.length === 0
        ? []
        : [`${layers.shared.length} shared, ${layers.added.length} added, ${layers.removed.length} removed`],
    ),
    listSection(
      'Files',
      files === null
        ? []
        : [
            ...files.changed.map(({ path, changes }) => `changed ${code(path)} (${changes.join(', ')})`),
            ...setLines('', files),
            ...(files.timeOnly > 0 ? [`${counted(files.timeOnly, 'path')} with another time and nothing else`] : []),
            ...(files.unknown > 0 ? [`${counted(files.unknown, 'file')} could not be compared`] : []),
          ],
    ),
    listSection('Warnings', warnings.map(code)),
  ].filter(({ rows }) => rows.length > 0)
}

function packageSection(title: string, packages: ImageDiff['packages']['added']): Section {
  return {
    title: `${title} (${packages.length})`,
    head: tableHead('Package', 'Version', 'Type'),
    rows: packages.map(({ name, version, type }) => tableRow(code(name), code(version), code(type))),
  }
}

function listSection(title: string, lines: readonly string[]): Section {
  return { title: `${title} (${lines.length})`, head: [], rows: lines.map((line) => `- ${line}`) }
}

function configLines(config: ConfigDiff): string[] {
  const values = [
    ['user', config.user],
    ['working directory', config.workingDir],
    ['stop signal', config.stopSignal],
    ['entrypoint', config.entrypoint],
    ['command', config.cmd],
    ['healthcheck', config.healthcheck],
  ] as const
  return [
    ...values.flatMap(([name, change]) =>
      change === undefined ? [] : [`${name}: ${code(textOf(change.from))} → ${code(textOf(change.to))}`],
    ),
    ...mapLines('variable', config.env),
    ...mapLines('label', config.labels),
    ...(config.ports === undefined ? [] : setLines('port ', config.ports)),
    ...(config.volumes === undefined ? [] : setLines('volume ', config.volumes)),
  ]
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value)
}

function mapLines(what: string, change: MapChange | undefined): string[] {
  if (change === undefined) return []
  return [
    ...change.changed.map(({ name, from, to }) => `${what} ${code(name)}: ${code(from)} → ${code(to)}`),
    ...change.added.map(({ name, value }) => `${what} ${code(name)} added: ${code(value)}`),
    ...change.removed.map(({ name }) => `${what} ${code(name)} removed`),
  ]
}

function setLines(what: string, { added, removed }: SetChange): string[] {
  return [
    ...added.map((entry) => `added ${what}${code(entry)}`),
    ...removed.map((entry) => `removed ${what}${code(entry)}`),
  ]
}

function tableHead(...names: readonly string[]): string[] {
  return [`| ${names.join(' | ')} |`, `|${' --- |'.repeat(names.length)}`]
}

function tableRow(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/**
 * Untrusted text as a code span. What could end the span, the cell or the line, or turn the direction of writing, is shown
 * by a look-alike or as U+FFFD: no package has such a name in earnest.
 */
function code(text: string): string {
  if (text === '') return '–'
  const cut = text.length > maxValueLength ? `${text.slice(0, maxValueLength - 1)}…` : text
  const safe = cut
    .replaceAll('`', 'ˋ')
    .replaceAll('|', '¦')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd')
  return `\`${safe}\``
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
