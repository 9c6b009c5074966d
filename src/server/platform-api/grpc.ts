import type { DescMessage, Message, MessageInitShape } from '@bufbuild/protobuf'
import {
  type Code,
  ConnectError,
  type ConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from '@connectrpc/connect'
import { fastifyConnectPlugin } from '@connectrpc/connect-fastify'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import { limits } from '../../core/limits.js'
import type { Services } from '../../flows/open.js'
import { warningHeader } from '../bind.js'
import { addGrpcHealth } from './grpc-health.js'
import type { PlatformMethod } from './method.js'
import type { CallOpener } from './open-call.js'
import { rpcFaultOf } from './status.js'

const requestKey = createContextKey<FastifyRequest | null>(null)

/**
 * The calls of the platform API over gRPC, on HTTP/2; Connect answers gRPC-Web and its own protocol besides. With the standard
 * health service.
 */
export function addGrpc(
  app: FastifyInstance,
  methods: readonly PlatformMethod[],
  open: CallOpener,
  services: Services,
): void {
  const stopping = new AbortController()
  app.addHook('preClose', async () => stopping.abort())
  void app.register((scope, _, done) => {
    // They are no part of the OpenAPI document.
    scope.addHook('onRoute', (route) => {
      route.schema = { hide: true }
    })
    void scope.register(fastifyConnectPlugin, {
      readMaxBytes: limits.rpcMessageBytes,
      contextValues: (request) => createContextValues().set(requestKey, request),
      routes: (router) => {
        for (const method of methods) addMethod(router, method, open)
        const names = [...new Set(methods.map(({ rpc }) => rpc.parent.typeName))]
        addGrpcHealth(router, names, services, stopping.signal)
      },
    })
    done()
  })
}

function addMethod(router: ConnectRouter, method: PlatformMethod, open: CallOpener): void {
  router.rpc(method.rpc, async (message: Message, context: HandlerContext) => {
    const request = context.values.get(requestKey)
    if (request === null) throw new Error('a call came by no request')
    try {
      const warnings: string[] = []
      const call = await open(method, request, {
        signal: context.signal,
        header: (name, value) => context.responseHeader.set(name, value),
        warn: (text) => warnings.push(text),
      })
      const response = await method.run(message, call)
      if (warnings.length > 0) context.responseHeader.set('warning', warnings.map(warningHeader).join(', '))
      return response as MessageInitShape<DescMessage>
    } catch (error) {
      throw connectErrorOf(error, context.signal, request.log)
    }
  })
}

/** A deadline that has passed is told as such, whatever it made of the work. */
function connectErrorOf(error: unknown, signal: AbortSignal, log: FastifyBaseLogger): ConnectError {
  if (signal.aborted && signal.reason instanceof ConnectError) return signal.reason
  const fault = rpcFaultOf(error)
  if (fault.code === 'internal') log.error({ err: fault.cause ?? fault }, 'request failed')
  return new ConnectError(fault.message, fault.kind.grpc as Code)
}
