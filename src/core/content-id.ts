import { digestOf } from './digest.js'

/** 16 hex digits of a digest of `parts`: an id that is the same for the same content. */
export function contentId(...parts: readonly (string | null)[]): string {
  return hexOf(parts).slice(0, 16)
}

/** A UUID of version 8 (RFC 9562, section 5.8) from a digest of `parts`. */
export function contentUuid(...parts: readonly (string | null)[]): string {
  const hex = hexOf(parts)
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

function hexOf(parts: readonly (string | null)[]): string {
  return digestOf(JSON.stringify(parts)).slice('sha256:'.length)
}
