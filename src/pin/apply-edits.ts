import type { Edit } from './image-file.js'

/** `text` with edits that do not overlap; the same edit twice is one. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let edited = ''
  let from = 0
  for (const { start, end, text: replacement } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start < from) continue
    edited += text.slice(from, start) + replacement
    from = end
  }
  return edited + text.slice(from)
}
