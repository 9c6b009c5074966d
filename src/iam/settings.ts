import { type Static, Type } from 'typebox'
import { type Role, roleNames } from './capabilities.js'

/** The `auth` part of tidemark.yaml. */
export const authSettingsSchema = Type.Object(
  {
    tokens: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ minLength: 1, maxLength: 64, description: 'who holds it, for the log' }),
            secretFile: Type.String({ minLength: 1, description: 'file whose first line is the token' }),
            role: Type.Unsafe<Role>({
              type: 'string',
              enum: [...roleNames],
              description: 'what it may do, everywhere',
            }),
          },
          { additionalProperties: false },
        ),
        { description: 'who may use the API; with any of them, nothing is open without a token' },
      ),
    ),
  },
  { additionalProperties: false, description: 'who may use the API' },
)

/** Parsed {@link authSettingsSchema}. */
export type AuthSettings = Static<typeof authSettingsSchema>
