import pc from 'picocolors'

/** Where a command reads and writes. Injected, so that tests see every byte. */
export interface Terminal {
  /** Data, and nothing else. */
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
  /** Everything that is not data: errors, warnings, progress, cost. */
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
}

/** Colors for text that goes to `stream`: none unless it is a terminal, or FORCE_COLOR asks; none with NO_COLOR. */
export function colorsFor(stream: Terminal['stdout'], environment: Readonly<Record<string, string | undefined>>) {
  const forced = environment.FORCE_COLOR !== undefined && environment.FORCE_COLOR !== '0'
  const isWanted = !environment.NO_COLOR && environment.TERM !== 'dumb' && (stream.isTTY === true || forced)
  return pc.createColors(isWanted)
}

/** The colors of {@link colorsFor}. */
export type Colors = ReturnType<typeof colorsFor>

/** A line that is rewritten in place while work goes on; nothing at all where stderr is no terminal. */
export interface Progress {
  update(text: string): void
  /** Takes the line away. */
  end(): void
}

/** A progress line on `terminal`, rewritten at most every 100 ms. */
export function startProgress(terminal: Terminal, now: () => number): Progress {
  const { stderr } = terminal
  if (stderr.isTTY !== true) return { update: () => undefined, end: () => undefined }
  let shownAt = Number.NEGATIVE_INFINITY
  let isShown = false
  return {
    update: (text) => {
      if (now() - shownAt < 100) return
      shownAt = now()
      isShown = true
      stderr.write(`\r\u001b[2K${text.slice(0, (stderr.columns ?? 80) - 1)}`)
    },
    end: () => {
      if (isShown) stderr.write('\r\u001b[2K')
    },
  }
}
