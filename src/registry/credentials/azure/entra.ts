import type { HttpResponse } from '../../../http/send.js'

/** A token of Microsoft Entra ID for container registries. */
export interface EntraToken {
  readonly token: string
  /** For whom: tells credentials apart. */
  readonly identity: string
  readonly tenant: string | undefined
  /** Where it comes from, for messages. */
  readonly from: string
}

/** What the token is for; registries of all clouds take it. */
export const resource = 'https://containerregistry.azure.net'
/** The first line of `error_description` (the others are trace ids); or the first error of the registry; empty where there is none. */
export function wordsOf({ body }: HttpResponse): string {
  try {
    const fields = Object(JSON.parse(body.toString('utf8'))) as Record<string, unknown>
    const { error, error_description: description } = fields
    const line = typeof description === 'string' ? description.split(/\r?\n/)[0] : undefined
    const first = Array.isArray(fields.errors) ? Object(fields.errors[0]) : {}
    return [error, line, first.code, first.message].filter((entry) => typeof entry === 'string').join(': ')
  } catch {
    // No words of its own: the status is told.
    return ''
  }
}
