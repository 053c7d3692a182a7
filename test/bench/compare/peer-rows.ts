import { startChild } from '../child.ts'
import { anonymousPlan, bearerPlan, outsider } from './callers.ts'
import { startEnvoy } from './envoy.ts'
import { startNginxProxy } from './nginx.ts'
import { startExtAuthz, startOpa, startOpaForHttp } from './opa.ts'
import type { Sidecar } from './opa.ts'
import { startRateLimitService } from './rate-limit-service.ts'
import type { Access, Controls, Row, RunningRow } from './row.ts'

const NOTHING: Controls = { identity: '–', policy: '–', limits: '–', record: '–' }

/** The upstream itself, with nobody between. */
function direct(access: Access): Row {
  const name = access === 'read' ? 'direct' : 'direct write'
  return {
    name,
    kind: 'peer',
    access,
    controls: NOTHING,
    start: ({ upstreamPort }) =>
      Promise.resolve({
        processes: {},
        plan: anonymousPlan(access, upstreamPort),
        outsider: undefined,
        adminPort: undefined,
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  }
}

const nginx: Row = {
  name: 'nginx',
  kind: 'peer',
  access: 'read',
  controls: NOTHING,
  async start({ folder, upstreamPort }) {
    const proxy = await startNginxProxy(folder, upstreamPort)
    return running(proxy, { nginx: proxy.pid }, anonymousPlan('read', proxy.port))
  },
}

function nodeProxy(name: string, kind: string): Row {
  return {
    name,
    kind: 'peer',
    access: 'read',
    controls: NOTHING,
    async start({ upstreamPort }) {
      await using stack = new AsyncDisposableStack()
      const proxy = stack.use(startChild('compare/node-proxy-process.ts', [kind, String(upstreamPort)]))
      const plan = anonymousPlan('read', (await proxy.ask()) as number)
      return running(stack.move(), { node: proxy.pid }, plan)
    },
  }
}

const nodeAskingOpa: Row = {
  name: 'Node proxy + OPA over REST',
  kind: 'peer',
  access: 'read',
  controls: { ...NOTHING, identity: 'JWT (jose)', policy: 'opa run, REST' },
  async start(world) {
    await using stack = new AsyncDisposableStack()
    const opa = stack.use(await startOpa())
    const { issuer, upstreamPort } = world
    const args = ['opa-rest', upstreamPort, opa.port, issuer.jwksUri, issuer.issuer].map(String)
    const proxy = stack.use(startChild('compare/node-proxy-process.ts', args))
    const plan = bearerPlan(world, (await proxy.ask()) as number)
    return running(stack.move(), { node: proxy.pid, opa: opa.pid }, plan)
  },
}

function envoyAsking(
  name: string,
  protocol: 'http' | 'grpc',
  policy: string,
  startSidecar: () => Promise<Sidecar>,
): Row {
  return {
    name,
    kind: 'peer',
    access: 'read',
    controls: {
      identity: 'JWT, cached',
      policy,
      limits: 'local + service with Redis',
      record: 'access log',
    },
    async start(world) {
      await using stack = new AsyncDisposableStack()
      const { folder, upstreamPort, issuer } = world
      const sidecar = stack.use(await startSidecar())
      const limiter = stack.use(await startRateLimitService(folder))
      const envoy = stack.use(
        await startEnvoy(folder, {
          upstreamPort,
          issuer: issuer.issuer,
          jwks: issuer.jwks(),
          authorizer: { port: sidecar.port, protocol },
          rateLimitPort: limiter.port,
        }),
      )
      const processes = {
        envoy: envoy.pid,
        opa: sidecar.pid,
        ratelimit: limiter.pid,
        redis: limiter.redisPid,
      }
      const stranger = outsider('none', { issuer, x5t: '' })
      return running(stack.move(), processes, bearerPlan(world, envoy.port), stranger)
    },
  }
}

function running(
  owned: AsyncDisposable,
  processes: RunningRow['processes'],
  plan: RunningRow['plan'],
  stranger?: RunningRow['outsider'],
): RunningRow {
  return {
    processes,
    plan,
    outsider: stranger,
    adminPort: undefined,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  }
}

export const PEER_ROWS: readonly Row[] = [
  direct('read'),
  direct('write'),
  nginx,
  nodeProxy('undici proxy', 'undici'),
  nodeProxy('@fastify/reply-from', 'reply-from'),
  nodeProxy('http-proxy', 'http-proxy'),
  nodeAskingOpa,
  envoyAsking('Envoy + opa run (HTTP)', 'http', 'opa run, ext_authz over HTTP', startOpaForHttp),
  envoyAsking('Envoy + OPA library (gRPC)', 'grpc', 'OPA in Go, ext_authz over gRPC', startExtAuthz),
]
