import { type TSchema, Type } from 'typebox'

/** Every object of the API is closed: an unknown parameter is an error, not ignored. */
export const closed = { additionalProperties: false } as const

/** A point in time. */
export const time = (description: string) => Type.String({ description, examples: ['2026-05-01T12:00:00.000Z'] })

/** What `schema` takes, or null. */
export const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

/** One of some words. */
export const words = <const Words extends readonly string[]>(list: Words, description: string) =>
  Type.Unsafe<Words[number]>({ type: 'string', enum: [...list], description })

/** The digest of a manifest, an index or a layer. */
export const digest = Type.String({ description: 'sha256:… or sha512:…' })
