/**
 * The order in which a tree is walked: a folder before what is in it, and names by their UTF-8 bytes. So `a/b` stands before
 * `a.txt`, which it does not in the order of the bytes of whole paths.
 */
export function comparePaths(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  let at = 0
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++
  return rank(a, at) < rank(b, at) ? -1 : 1
}

/** The end, the slash, then code units in the order of UTF-8, where surrogates come after all others. */
function rank(path: string, at: number): number {
  if (at >= path.length) return -2
  const unit = path.charCodeAt(at)
  if (unit === 0x2f) return -1
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
