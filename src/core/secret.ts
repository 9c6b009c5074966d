/**
 * A value that cannot be printed: `toString`, `JSON.stringify`, template literals and `console.log` all give `***`.
 * Only {@link Secret.reveal} hands it out, so that every use can be found by name.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. Call it where it goes on the wire, and nowhere else. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '***'
  }

  toJSON(): string {
    return '***'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '***'
  }
}

/** `url` without user, password and the values of its query, which often carry signatures. */
export function redactUrl(url: URL | string): string {
  const parsed = typeof url === 'string' ? (URL.canParse(url) ? new URL(url) : null) : new URL(url)
  if (parsed === null) return '(not a URL)'
  parsed.username = ''
  parsed.password = ''
  parsed.hash = ''
  for (const key of [...parsed.searchParams.keys()]) parsed.searchParams.set(key, '***')
  return parsed.href
}
