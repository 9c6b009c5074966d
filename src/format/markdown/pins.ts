import type { PinProblem, PinReport, PinUpdate } from '../../../client/src/index.js'
import { type Digest, shortDigest } from '../../core/digest.js'
import type { ImageDiff } from '../../core/image-diff.js'
import { writeMarkdown } from '../markdown.js'
import { code, counted, listSection, tableHead, tableRow, writeSections } from './text.js'

/** Room for the text of one bump: less would be a heading and nothing below it. */
const leastCharacters = 1_000

/**
 * What `tidemark pin` did, as the text of a pull request: a table of the pins, then what each of them changes where that was
 * asked for, then what could not be pinned. Everything from files and images stands in code spans.
 * @param limit the most characters; the room of what each changes is shared
 * @param isCheck whether it wrote nothing, and says what differs
 */
export function writePins({ updates, problems }: PinReport, limit: number, isCheck: boolean): string {
  const moved = updates.filter(({ digest }) => digest !== null).length
  const [images, pins] = [counted(updates.length - moved, 'image'), counted(moved, 'pin')]
  const summary = isCheck ? `${images} without a pin, ${pins} behind` : `${images} pinned, ${pins} moved`
  const rows = updates.map(({ file, line, image, digest, updated_digest }) =>
    tableRow(
      code(`${file}:${line}`),
      code(image),
      digest === null ? '–' : code(shortDigest(digest as Digest)),
      code(shortDigest(updated_digest as Digest)),
    ),
  )
  const table = { title: 'Pins', head: tableHead('Place', 'Image', 'From', 'To'), rows }
  const head = ['<!-- tidemark-pin -->', `**${updates.length === 0 ? 'No pin differs' : summary}**`]
  const failed = listSection('Not pinned', problems.map(problemLine))
  const changes = onePerMove(updates)
  const text = writeSections(head, [table, failed], changes.length === 0 ? limit : Math.floor(limit / 2))
  const share = Math.floor((limit - text.length) / Math.max(1, changes.length))
  if (changes.length > 0 && share < leastCharacters) return `${text}\nWhat each changes was left out: it is too long.\n`
  return text + changes.map((update) => changeText(update, share)).join('')
}

type Compared = PinUpdate & { readonly diff: NonNullable<PinUpdate['diff']> }

/** The same move in several files is told once. */
function onePerMove(updates: readonly PinUpdate[]): Compared[] {
  const moves = new Map<string, Compared>()
  for (const update of updates) {
    if (update.diff) moves.set(`${update.image} ${update.digest} ${update.updated_digest}`, update as Compared)
  }
  return [...moves.values()]
}

function changeText({ image, diff }: Compared, limit: number): string {
  const heading = `\n### ${code(image)}\n\n`
  // The client's type is the one of core; the mark at its top is for a comment of its own.
  const text = writeMarkdown(diff as unknown as ImageDiff, limit - heading.length)
  return heading + text.slice(text.indexOf('\n') + 1)
}

function problemLine({ file, line, image, reason }: PinProblem): string {
  const place = code(line === null ? file : `${file}:${line}`)
  return image === null ? `${place}: ${code(reason)}` : `${place}: ${code(image)}: ${code(reason)}`
}
