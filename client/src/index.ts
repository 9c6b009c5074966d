export {
  type ChainguardApi,
  ChainguardApiError,
  type ChainguardApiOptions,
  type ChainguardRepo,
  createChainguardApi,
  type TagHistoryOptions,
  type TagHistoryPage,
} from './chainguard-api.js'
export type * from './chainguard-diff.js'
export type * from './check.js'
export { type Answer, type Client, type ClientOptions, createClient, TidemarkError } from './client.js'
export type * from './delivery.js'
export type * from './diff.js'
export type * from './digest.js'
export type * from './doctor.js'
export type * from './event.js'
export type * from './history.js'
export type * from './identity.js'
export type * from './packages.js'
export type * from './pin.js'
export type * from './plan.js'
export type * from './problem.js'
export { type CallName, type Calls, eventsPath, routes } from './routes.js'
export type * from './scan.js'
export type * from './tag-list.js'
export type * from './watch.js'
