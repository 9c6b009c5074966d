/** `due`: to be sent; `sent`: taken by the receiver; `dead`: given up after the last attempt. */
export type DeliveryState = 'due' | 'sent' | 'dead'

/** One event on its way to one channel. */
export interface Delivery {
  id: number
  channel: string
  state: DeliveryState
  attempts: number
  /** When it is tried next; null when it is not. */
  nextAt: string | null
  /** Why the last attempt failed. */
  fault: string | null
  event: { id: number; type: string; reference: string; at: string }
}

/** The body of `tidemark deliveries list -o json`. */
export interface DeliveryList {
  deliveries: Delivery[]
}

/** What `deliveries replay` did. */
export interface DeliveriesReplayed {
  replayed: number
}
