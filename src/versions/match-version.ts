/**
 * Longer than any version by far. Within it our patterns are sure to work: past some megabytes V8 ends a match with a
 * RangeError, because every turn of a loop in a pattern takes room on its stack.
 */
const maxLength = 1024 * 1024

/** `pattern.exec(text)`, which never throws: a text of more than 1,048,576 characters does not match. */
export function matchVersion(pattern: RegExp, text: string): RegExpExecArray | null {
  return text.length > maxLength ? null : pattern.exec(text)
}
