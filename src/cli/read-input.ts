import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { Fault, oneLine } from '../core/fault.js'

/**
 * Reads a file, or standard input for `-`.
 * @throws Fault `file-unreadable`
 */
export async function readInput(path: string): Promise<string> {
  if (path === '-') return await text(process.stdin)
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new Fault(
      'file-unreadable',
      `cannot read ${oneLine(path)}${code === 'ENOENT' ? ': it is not there' : ` (${code})`}`,
      { cause },
    )
  }
}

/** Its lines, without blank ones and comments. */
export async function readLines(path: string): Promise<string[]> {
  const lines = (await readInput(path)).split(/\r?\n/).map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
  return lines.filter((line) => line !== '')
}
