/** One message on its way. */
export interface Notification {
  /** The same for every attempt: what a receiver tells repetitions by. */
  readonly id: string
  /** JSON. */
  readonly body: string
}

/** A way to tell somebody. */
export interface Notifier {
  /**
   * Delivers a message once; whoever calls tries again.
   * @throws Fault `unreachable`, `timeout`, `tls`, `broken-answer` (with `data.status`), `rate-limited` (with `data.until`),
   *   `file-unreadable` for a secret
   */
  deliver(notification: Notification, signal?: AbortSignal): Promise<void>
}
