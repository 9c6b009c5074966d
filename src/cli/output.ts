import type { CommandContext, CommonOptions } from './context.js'
import { formatTable } from './table.js'
import { type Colors, colorsFor } from './terminal.js'

/** Writes a body: as JSON, which is the API's, or as what `table` makes of it. */
export function print<Body>(
  body: Body,
  context: CommandContext,
  options: Pick<CommonOptions, 'output'>,
  table: (body: Body, colors: Colors) => string,
): void {
  const { stdout } = context.terminal
  const text =
    options.output === 'json'
      ? `${JSON.stringify(body, null, 2)}\n`
      : table(body, colorsFor(stdout, context.environment))
  stdout.write(text)
}

/** A table, or a line that says that there is nothing. */
export function tableOr(
  nothing: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
  colors: Colors,
): string {
  return rows.length === 0 ? `${nothing}\n` : formatTable(header, rows, colors)
}
