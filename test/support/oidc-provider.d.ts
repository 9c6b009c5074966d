/** What the tests use of oidc-provider 9.13.3, which brings no types along. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http'

  interface Account {
    readonly accountId: string
    claims(): Promise<Record<string, unknown>>
  }
  // biome-ignore lint/style/noDefaultExport: the package's own
  export default class Provider {
    constructor(
      issuer: string,
      configuration: {
        readonly clients: readonly Record<string, unknown>[]
        readonly cookies: { readonly keys: readonly string[] }
        readonly claims: Readonly<Record<string, readonly string[]>>
        readonly scopes?: readonly string[]
        readonly conformIdTokenClaims: boolean
        readonly features?: Readonly<Record<string, unknown>>
        findAccount(context: unknown, id: string): Promise<Account>
      },
    )
    callback(): RequestListener
  }
}
