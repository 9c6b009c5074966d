/** An error of the native API: RFC 9457, with the code and fix of docs/errors.md. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  /** For programs: never renamed. */
  code: string
  /** The next thing to do. */
  fix: string
  data?: Record<string, unknown>
}
