import type { FaultCode } from '../core/fault.js'
import { faultCatalog } from '../core/fault-catalog.js'

/** A request, as far as the handlers need it. */
export interface RegistryRequest {
  readonly method: string
  /** Percent-decoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Uint8Array
  /** `http://127.0.0.1:5000`, as the client addressed us. */
  readonly origin: string
}

/** What is sent back; for HEAD the body is left out and its length kept. */
export interface Answer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

const noBody = new Uint8Array(0)

/** An answer with `body` as JSON. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: bytes }
}

/** An answer with `body` as it is. */
export function bytes(status: number, body: Uint8Array, headers: Record<string, string>): Answer {
  return { status, headers, body }
}

/** An answer without a body. */
export function empty(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: noBody }
}

/** An error of the OCI distribution specification v1.1.1, section "Error Codes". */
export function ociError(status: number, code: string, message: string, headers: Record<string, string> = {}): Answer {
  return json(status, { errors: [{ code, message, detail: null }] }, headers)
}

/** The same, with status and code of the catalogue. */
export function ociFault(code: FaultCode, message: string): Answer {
  return ociError(faultCatalog[code].http, faultCatalog[code].oci, message)
}
