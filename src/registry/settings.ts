import { type Static, Type } from 'typebox'
import { type RegistryKind, registryKinds } from './kind.js'

const closed = { additionalProperties: false } as const

const registry = Type.Object(
  {
    plainHttp: Type.Optional(Type.Boolean({ description: 'speak HTTP without TLS' })),
    ca: Type.Optional(Type.String({ description: 'a PEM file of certificates to trust besides the usual ones' })),
    clientCert: Type.Optional(Type.String({ description: 'a PEM file with the certificate that we show' })),
    clientKey: Type.Optional(Type.String({ description: 'a PEM file with its key' })),
    username: Type.Optional(Type.String({ description: 'belongs together with password or passwordFile' })),
    password: Type.Optional(Type.String({ description: 'better: passwordFile' })),
    passwordFile: Type.Optional(Type.String({ description: 'a file that holds the password' })),
    tokenFile: Type.Optional(
      Type.String({
        description:
          'a file that holds a token to send as Bearer; of `quay`, `ghcr` and `gitlab` an OAuth or access token',
      }),
    ),
    pullSecret: Type.Optional(
      Type.String({ description: 'a pull secret of Kubernetes: its `.dockerconfigjson` or `.dockercfg`, mounted' }),
    ),
    anonymous: Type.Optional(Type.Boolean({ description: 'look for no credentials anywhere' })),
    kind: Type.Optional(
      Type.Unsafe<RegistryKind>({
        type: 'string',
        enum: [...registryKinds],
        description: `whose software it is, where the name does not tell: ${registryKinds.join(', ')}`,
      }),
    ),
    apiUrl: Type.Optional(
      Type.String({
        description:
          'where its own API is, where that is not the usual place: of `ecr`, the endpoint of AWS; `artifactory` needs it, and `ghcr` on a server of your own',
      }),
    ),
    aliases: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
        maxItems: 100,
        description: 'other names under which webhooks tell of this host, each with its port where it is not 443',
      }),
    ),
    requestsPerHour: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'what watching may ask of the host in an hour, by all processes together; no bound when left out',
      }),
    ),
    concurrency: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 256, description: 'requests at a time; 16 when left out' }),
    ),
  },
  { ...closed, description: 'one host, with its port where it is not 443' },
)

/** `registries:` of tidemark.yaml: settings of one registry, by its host as references name it. */
export const registriesSchema = Type.Record(Type.String(), registry, {
  description: 'settings by host, for example `registry.example.com:5000`',
})

/** `network:` of tidemark.yaml. */
export const networkSchema = Type.Object(
  {
    allow: Type.Optional(
      Type.Array(Type.String(), {
        description: 'networks (CIDR) that registries may point us to although they are private or loopback',
      }),
    ),
  },
  { ...closed, description: 'where registries may point us' },
)

/** See {@link registriesSchema}. */
export type RegistriesSettings = Static<typeof registriesSchema>
/** One host's part of {@link RegistriesSettings}. */
export type RegistrySettings = RegistriesSettings[string]
/** See {@link networkSchema}. */
export type NetworkSettings = Static<typeof networkSchema>
