import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const

const secret = (description: string) =>
  Type.Object(
    {
      secret: Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]{16,200}$', description: 'better: secretFile' })),
      secretFile: Type.Optional(
        Type.String({ minLength: 1, description: 'a file whose first line is the secret, 16 characters at least' }),
      ),
    },
    { ...closed, description },
  )

/** `webhooks:` of tidemark.yaml: what proves that a webhook comes from a registry, by kind. */
export const webhooksSchema = Type.Object(
  {
    acr: Type.Optional(secret('Azure Container Registry, and Event Grid')),
    distribution: Type.Optional(
      secret('the distribution project’s registry, and those built on it, GitLab’s among them'),
    ),
    'docker-hub': Type.Optional(secret('Docker Hub')),
    ecr: Type.Optional(secret('Amazon ECR, by an API destination of EventBridge')),
    gar: Type.Optional(
      Type.Object(
        {
          audience: Type.String({
            minLength: 1,
            maxLength: 500,
            description: 'the audience of the push subscription, exactly as it is set there',
          }),
          serviceAccount: Type.String({
            minLength: 1,
            maxLength: 500,
            description: 'e-mail address of the service account that the push subscription signs with',
          }),
          issuer: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 2_000,
              description: 'who signs its tokens; https://accounts.google.com when left out',
            }),
          ),
        },
        { ...closed, description: 'Google Artifact Registry and gcr.io, by a push subscription of Pub/Sub' },
      ),
    ),
    ghcr: Type.Optional(secret('GitHub’s container registry: the secret that GitHub signs with')),
    harbor: Type.Optional(secret('Harbor')),
    quay: Type.Optional(secret('Quay')),
  },
  {
    ...closed,
    description:
      'what proves that a webhook comes from a registry, by kind; without it a kind is taken on loopback only',
  },
)

/** See {@link webhooksSchema}. */
export type WebhooksSettings = Static<typeof webhooksSchema>

/** A sender of webhooks, by whose software or service the registry is. */
export type WebhookKindName = keyof WebhooksSettings
