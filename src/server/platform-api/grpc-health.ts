import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect'
import type { Services } from '../../flows/open.js'
import { Health, HealthCheckResponse_ServingStatus as Serving } from './generated/health_pb.js'

/** How often whoever watches is told of a change. */
const pollMs = 5_000

/**
 * `grpc.health.v1.Health`: a service serves when the store can be read and written, as `/readyz`. The empty name stands for all.
 * @param stopping ends what is watched
 */
export function addGrpcHealth(
  router: ConnectRouter,
  names: readonly string[],
  services: Services,
  stopping: AbortSignal,
): void {
  const isKnown = (name: string) => name === '' || names.includes(name)
  const status = async () => {
    try {
      await (await services.store()).ping()
      return Serving.SERVING
    } catch {
      return Serving.NOT_SERVING
    }
  }
  router.service(Health, {
    async check({ service }) {
      if (!isKnown(service)) throw new ConnectError(`there is no service ${service}`, Code.NotFound)
      return { status: await status() }
    },
    async *watch({ service }, { signal }) {
      const ended = AbortSignal.any([signal, stopping])
      let told: Serving | null = null
      while (!ended.aborted) {
        const now = isKnown(service) ? await status() : Serving.SERVICE_UNKNOWN
        if (now !== told) yield { status: now }
        told = now
        await pause(ended)
      }
    },
  })
}

async function pause(ended: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      ended.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, pollMs)
    ended.addEventListener('abort', done)
    if (ended.aborted) done()
  })
}
