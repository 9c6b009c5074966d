/**
 * A pattern in which `*` stands for any characters and `?` for one; everything else for itself, the whole text. Linear in
 * the text: what a stranger configures cannot hang us.
 */
export function matchesGlob(glob: string, text: string): boolean {
  let at = 0
  let place = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    if (place < glob.length && glob[place] === '*') {
      star = place++
      resume = at
    } else if (place < glob.length && (glob[place] === '?' || glob[place] === text[at])) {
      place++
      at++
    } else if (star >= 0) {
      place = star + 1
      at = ++resume
    } else return false
  }
  while (glob[place] === '*') place++
  return place === glob.length
}

/** A glob as a regular expression for the whole text (RE2 and JavaScript alike). */
export function patternOfGlob(glob: string): string {
  const escaped = glob
    .replace(/[\\^$.+()[\]{}|/]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.')
  return `^${escaped}$`
}

/**
 * The inverse of {@link patternOfGlob}: expressions of characters, escaped characters, `.` and `.*`. Without `^` or `$` they match
 * anywhere, as regular expressions do.
 * @returns null for any other expression
 */
export function globOfPattern(pattern: string): string | null {
  const [, start, body = '', end] = /^(\^?)((?:[^\\^$.*+?()[\]{}|]|\\[^a-zA-Z0-9*?]|\.\*?)*)(\$?)$/.exec(pattern) ?? []
  if (start === undefined) return null
  const glob = body.replace(/\\(.)|\.\*|\./g, (token, literal?: string) => literal ?? (token === '.' ? '?' : '*'))
  return `${start === '' ? '*' : ''}${glob}${end === '' ? '*' : ''}`
}
