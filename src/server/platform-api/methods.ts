import { iamMethods } from './iam-methods.js'
import type { PlatformMethod } from './method.js'
import { registryMethods } from './registry-methods.js'
import { signInMethods } from './sign-in-methods.js'

/** Every call of the platform API: what REST and gRPC serve, and what the authorization test walks through. */
export const platformMethods: readonly PlatformMethod[] = [...registryMethods, ...iamMethods, ...signInMethods]
