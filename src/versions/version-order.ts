/**
 * The order of one ecosystem's versions. Instead of comparing two texts, it turns each into a sort key: a text whose plain
 * order (`<`, by UTF-16 code unit) is the order of the versions. So every order is total, whatever it reads; one version
 * against many costs one key and then plain comparisons; and keys may be sorted, used in a Map, or kept in a database.
 */
export interface VersionOrder {
  /** The name of its file, `apk`. */
  readonly name: string
  /**
   * The sort key, or null when `text` is no version of this ecosystem. Two versions are the same one when their keys are
   * equal. Keys of two orders must not be mixed. Never throws; linear in `text`, and a text of more than 1,048,576 characters
   * need not be read (see match-version.ts).
   */
  key(text: string): string | null
}

/** -1, 0 or 1 as `a` is before, the same as, or after `b`; null (unknown) when one of them is not a version. */
export function compareVersions(order: VersionOrder, a: string, b: string): -1 | 0 | 1 | null {
  const keyOfA = order.key(a)
  const keyOfB = order.key(b)
  return keyOfA === null || keyOfB === null ? null : compareKeys(keyOfA, keyOfB)
}

/** The same for two keys of one {@link VersionOrder}, and what `sort` takes. */
export function compareKeys(a: string, b: string): -1 | 0 | 1 {
  return a === b ? 0 : a < b ? -1 : 1
}

/** Whether `text` is a version of that ecosystem. */
export function isVersion(order: VersionOrder, text: string): boolean {
  return order.key(text) !== null
}
