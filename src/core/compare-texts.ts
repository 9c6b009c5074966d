/** The order of texts in lists: by code unit, which no language or machine changes. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
