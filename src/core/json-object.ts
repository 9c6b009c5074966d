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
