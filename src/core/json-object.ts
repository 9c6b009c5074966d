/** A parsed object; its values are of any type. */
export type JsonObject = Readonly<Record<string, unknown>>

/** `value` when it is an object that is no list, else an empty one. */
export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

/** The objects of `value` when it is a list, else none. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}

/** `value` when it is a text, else `''`. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/**
 * A parsed value as a message quotes it, in 80 characters at most. `String(value)` will not do: it throws where an object brings a
 * member `toString`, and where lists lie thousands deep.
 */
export function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value).slice(0, 80)
  return Array.isArray(value) ? 'a list' : 'an object'
}
