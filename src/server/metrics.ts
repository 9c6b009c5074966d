import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { WatchCounts } from '../flows/watcher.js'
import type { Auth } from './auth.js'
import type { Webhooks } from './webhooks/webhooks.js'

/** `/metrics` in Prometheus' text format; needs what reading watches needs. */
export function addMetrics(
  app: FastifyInstance,
  counts: Readonly<WatchCounts> | null,
  hints: Webhooks['counts'],
  auth: Auth,
): void {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Histogram({
    name: 'tidemark_http_request_seconds',
    help: 'Requests to this server',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers: [registry],
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    requests.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
  })
  if (counts !== null) addWatchMetrics(registry, counts)
  addHintMetrics(registry, hints)
  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    await auth.require(request, 'tag.list')
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}

/** Taken are `taken`, `handed-over` and `joined`; the others were dropped, and say why. */
function addHintMetrics(registry: Registry, hints: Webhooks['counts']): void {
  const counter = new Counter({
    name: 'tidemark_hints_total',
    help: 'Events that webhooks told of, by what became of them',
    labelNames: ['kind', 'outcome'],
    registers: [registry],
    collect() {
      counter.reset()
      for (const [kind, outcomes] of hints)
        for (const [outcome, times] of outcomes) counter.inc({ kind, outcome }, times)
    },
  })
}

function addWatchMetrics(registry: Registry, counts: Readonly<WatchCounts>): void {
  const totals: [string, string, () => number][] = [
    ['tidemark_looks_total', 'Looks at tags', () => counts.looks],
    ['tidemark_lists_total', 'Lists of digests in place of looks', () => counts.lists],
    ['tidemark_moves_total', 'Moves that were seen', () => counts.moves],
    ['tidemark_unknown_looks_total', 'Looks that could not tell', () => counts.unknown],
    ['tidemark_images_analyzed_total', 'Images that were analyzed, or found to be', () => counts.analyzed],
    ['tidemark_registry_requests_total', 'Requests sent to registries and token servers', () => counts.cost.requests],
    ['tidemark_registry_received_bytes_total', 'Bytes of bodies received from them', () => counts.cost.bytes],
  ]
  for (const [name, help, read] of totals) {
    const counter = new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        counter.reset()
        counter.inc(read())
      },
    })
  }
  const gauges: [string, string, () => number][] = [
    ['tidemark_watched_tags', 'Tags that this process watches', () => counts.tags],
    ['tidemark_lanes', 'Hosts that this process holds', () => counts.lanes],
  ]
  for (const [name, help, read] of gauges) {
    const gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        gauge.set(read())
      },
    })
  }
}
