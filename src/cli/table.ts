import Table from 'cli-table3'
import type { Colors } from './terminal.js'

const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const

/** Aligned columns without lines, a header first; ends with a newline. Nothing but the header where there are no rows. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[], colors: Colors): string {
  const table = new Table({
    head: header.map((title) => colors.bold(title)),
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  })
  for (const row of rows) table.push([...row])
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`
}
