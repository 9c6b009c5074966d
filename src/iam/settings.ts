import { type Static, Type } from 'typebox'
import { type Role, roleNames } from './capabilities.js'

const closed = { additionalProperties: false } as const
const role = (description: string) => Type.Unsafe<Role>({ type: 'string', enum: [...roleNames], description })

const mappedRole = {
  role: role('what they may do'),
  group: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'where: an organization, or an id; everywhere when left out',
    }),
  ),
}

const oidcSchema = Type.Object(
  {
    issuer: Type.String({
      minLength: 1,
      maxLength: 2_000,
      description: 'URL of the OpenID provider that people sign in at, exactly as its tokens name it',
    }),
    clientId: Type.String({
      minLength: 1,
      maxLength: 500,
      description: 'what the provider calls Tidemark: a public (native, desktop) client with a loopback redirect URI',
    }),
    clientSecret: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        description:
          'for providers that give desktop programs one (Google): it is no secret, whoever signs in is told it (RFC 8252 section 8.5)',
      }),
    ),
    scopes: Type.Optional(
      Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,200}$' }), {
        maxItems: 20,
        description: 'what is asked of the provider; openid, email and profile when left out',
      }),
    ),
    sessionLifetime: Type.Optional(
      Type.String({
        pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d|w))+$',
        description: 'how long a login lasts before the provider is asked again; 1d when left out, 30d at most',
      }),
    ),
    roles: Type.Optional(
      Type.Array(
        Type.Union([
          Type.Object(
            {
              emailDomain: Type.String({
                pattern: '^[a-z0-9-]+(\\.[a-z0-9-]+)+$',
                description: 'of an e-mail address that the provider has verified',
              }),
              ...mappedRole,
            },
            closed,
          ),
          Type.Object(
            {
              claim: Type.String({ minLength: 1, maxLength: 100, description: 'a claim of the ID token: groups' }),
              value: Type.String({
                minLength: 1,
                maxLength: 500,
                description: 'what it is, or one of its values; a glob',
              }),
              ...mappedRole,
            },
            closed,
          ),
        ]),
        { maxItems: 1_000, description: 'roles that people have by what the provider says of them' },
      ),
    ),
    onlyWithRole: Type.Optional(
      Type.Boolean({ description: 'whether only those may sign in whom one of `roles` fits; false when left out' }),
    ),
  },
  { ...closed, description: 'an OpenID provider where people sign in; with it nothing is open without a token' },
)

/** The `auth` part of tidemark.yaml. */
export const authSettingsSchema = Type.Object(
  {
    tokens: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ minLength: 1, maxLength: 64, description: 'who holds it, for the log' }),
            secretFile: Type.String({ minLength: 1, description: 'file whose first line is the token' }),
            role: role('what it may do, everywhere'),
          },
          { additionalProperties: false },
        ),
        { description: 'who may use the API; with any of them, nothing is open without a token' },
      ),
    ),
    oidc: Type.Optional(oidcSchema),
  },
  { additionalProperties: false, description: 'who may use the API' },
)

/** Parsed {@link authSettingsSchema}. */
export type AuthSettings = Static<typeof authSettingsSchema>

/** Parsed `auth.oidc`. */
export type OidcSettings = Static<typeof oidcSchema>
