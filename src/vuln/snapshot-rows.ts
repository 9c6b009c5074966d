import { hash } from 'node:crypto'

/** What an advisory says of one package, as a row of a snapshot. */
export interface Row {
  readonly ecosystem: string
  readonly name: string
  readonly body: string
  /** All three: by it rows are compared and hashed. */
  readonly text: string
}

/** The packages of an advisory, in one order, each once. @param packages ecosystem, name and body of each in turn */
export function rowsOf(packages: readonly string[]): Row[] {
  const rows: Row[] = []
  for (let at = 0; at < packages.length; at += 3) {
    rows.push(rowOf(packages[at] ?? '', packages[at + 1] ?? '', packages[at + 2] ?? ''))
  }
  return rows.length > 1 ? sortedRows(rows) : rows
}

/** A row. */
export function rowOf(ecosystem: string, name: string, body: string): Row {
  return { ecosystem, name, body, text: `\0${ecosystem}\0${name}\0${body}` }
}

/** The digest of an advisory. @param rows in the order of {@link sortedRows}, so that the same records give the same */
export function digestOf(head: string, rows: readonly Row[]): string {
  let text = head
  for (const row of rows) text += row.text
  return hash('sha256', text, 'base64url')
}

/** In one order, each once. Sorts `rows` themselves. Most come in order. */
export function sortedRows(rows: Row[]): Row[] {
  if (isAscending(rows)) return rows
  rows.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
  return rows.filter(({ text }, at) => text !== rows[at - 1]?.text)
}

function isAscending(rows: readonly Row[]): boolean {
  let last = ''
  for (const { text } of rows) {
    if (text <= last) return false
    last = text
  }
  return true
}
