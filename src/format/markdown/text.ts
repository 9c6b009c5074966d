import type { ImageIdentity } from '../../core/inventory.js'

/** A longer value is cut: it is for the eye. */
const maxValueLength = 200
/** Room for what says that rows were left out, and for the ends of what is open. */
const reservedCharacters = 200

/** A folded part of the detail. */
export interface Section {
  readonly title: string
  /** Lines before the first row: a table's head. */
  readonly head: readonly string[]
  readonly rows: readonly string[]
}

/**
 * Lines, then sections, within `limit` characters: rows beyond it are left out and counted. What is from outside must stand in
 * code spans (see {@link code}).
 */
export function writeSections(head: readonly string[], sections: readonly Section[], limit: number): string {
  const lines = [...head]
  let left = limit - reservedCharacters - lines.join('\n').length
  for (const section of sections) {
    if (section.rows.length === 0) continue
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

/** A section of a list. */
export function listSection(title: string, lines: readonly string[]): Section {
  return { title: `${title} (${lines.length})`, head: [], rows: lines.map((line) => `- ${line}`) }
}

/** The head of a table. */
export function tableHead(...names: readonly string[]): string[] {
  return [`| ${names.join(' | ')} |`, `|${' --- |'.repeat(names.length)}`]
}

/** A row of a table. */
export function tableRow(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/**
 * Untrusted text as a code span. What could end the span, the cell or the line, or turn the direction of writing, is shown
 * by a look-alike or as U+FFFD: no package has such a name in earnest.
 */
export function code(text: string): string {
  if (text === '') return '–'
  const cut = text.length > maxValueLength ? `${text.slice(0, maxValueLength - 1)}…` : text
  const safe = cut
    .replaceAll('`', 'ˋ')
    .replaceAll('|', '¦')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd')
  return `\`${safe}\``
}

/** `1 package`, `2 packages`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** An image by its reference, digest and platform. */
export function shown({ reference, digest, platform }: ImageIdentity): string {
  const parts = [
    code(reference),
    digest === null || reference.includes(digest) ? '' : code(digest),
    platform === null ? '' : code(platform),
  ]
  return parts.filter((part) => part !== '').join(' ')
}

function rowsWithin(rows: readonly string[], characters: number): readonly string[] {
  let left = characters
  const count = rows.findIndex((row) => {
    left -= row.length + 1
    return left < reservedCharacters
  })
  return count < 0 ? rows : [...rows.slice(0, count), '', `… and ${rows.length - count} more.`]
}
