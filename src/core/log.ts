/** Where a long-running process says what it does: a constant message, and fields. pino's shape. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
