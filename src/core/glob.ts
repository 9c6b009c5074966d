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
