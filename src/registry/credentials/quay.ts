import { Fault } from '../../core/fault.js'
import { type CredentialPlugin, passwordCredential } from './credential.js'

/**
 * quay.io: a robot or user by `QUAY_USERNAME` and `QUAY_PASSWORD`, or an OAuth application's token by `QUAY_TOKEN`. A Quay of
 * one's own is told in tidemark.yaml: these variables do not say for which host they are.
 */
export const quayCredentials: CredentialPlugin = {
  name: 'Quay',
  open: ({ environment }) => ({
    async find({ host }) {
      if (host !== 'quay.io') return null
      const { QUAY_USERNAME: user, QUAY_PASSWORD: password, QUAY_TOKEN: token } = environment
      if (user && password) return passwordCredential(user, password)
      if (user || password) {
        throw new Fault('invalid-config', 'QUAY_USERNAME and QUAY_PASSWORD belong together', {
          fix: 'Give both, or neither.',
        })
      }
      return token ? passwordCredential('$oauthtoken', token) : null
    },
  }),
}
