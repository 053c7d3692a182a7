import { createHash, randomUUID } from 'node:crypto'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { NOTHING_FOUND } from '../../gateway/detectors/findings.ts'
import type { Access, Connector } from '../../gateway/catalog/connector.ts'
import type { Caller } from '../../gateway/caller.ts'
import type { Arrival, CallId, Decided, Declared, Resource, Sealed } from '../../gateway/exchange.ts'
import type { Outcome } from '../../gateway/outcome.ts'
import { HeaderList } from '../../gateway/lib/header-list.ts'
import { NOBODY } from '../../gateway/policy/evaluation/self-test.ts'
import { permitted } from './permitted.ts'

export interface SyntheticCall {
  readonly callId?: string
  readonly startedMs?: number
  readonly connector?: string
  readonly sensitiveResources?: Connector['sensitiveResources']
  readonly access?: Access
  readonly declared?: Partial<Declared>
  readonly resource?: Partial<Resource>
  readonly pathParams?: Readonly<Record<string, string>>
  readonly query?: string
  readonly headers?: readonly string[]
  readonly body?: string
  readonly caller?: Partial<Caller>
}

/** A call that policy allowed, made without a gateway: for what works on the finished facts of a call. */
export function syntheticCall(wanted: SyntheticCall = {}): Decided {
  const bytes = Buffer.from(wanted.body ?? '')
  const digest = createHash('sha256').update(bytes).digest('hex')
  const connector = syntheticConnector(wanted.connector ?? 'github', wanted.sensitiveResources ?? [])
  return {
    arrival: syntheticArrival(wanted, connector),
    method: 'GET',
    target: `/repos/zyx/platform-infra/pulls/991?${wanted.query ?? ''}`,
    path: '/repos/zyx/platform-infra/pulls/991',
    query: wanted.query ?? '',
    headers: new HeaderList(wanted.headers ?? ['host', 'gateway.example']),
    peer: { address: '127.0.0.1', secure: false, certificate: undefined },
    body: { declaredBytes: bytes.length, stream: Readable.from([]), mediaType: '' },
    declared: { task: '', rationale: '', ticket: '', rollbackPlan: '', ...wanted.declared },
    wishes: { approval: '', waitMs: 0, respondAsync: false },
    trace: {
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '00f067aa0ba902b7',
      parentId: undefined,
      sampled: true,
      state: undefined,
    },
    caller: { ...SYNTHETIC_CALLER, ...wanted.caller },
    connector,
    operation: {
      id: `${connector.name}.pulls/get`,
      connector: connector.name,
      method: 'GET',
      template: '/repos/{owner}/{repo}/pulls/{pull_number}',
      access: wanted.access ?? 'read',
      risk: 1,
      dataClass: 'internal',
      reversible: true,
    },
    pathParams: wanted.pathParams ?? { owner: 'zyx', repo: 'platform-infra', pull_number: '991' },
    upstreamPath: '/repos/zyx/platform-infra/pulls/991',
    history: {
      calls1m: 0,
      denials10m: 0,
      errors1h: 0,
      writesTask: 0,
      firstUse: false,
      operationsTask: [],
      operations1h: [],
    },
    dataClassesTask: [],
    dataClasses1h: [],
    recall: () => [],
    limits: [],
    lease: { settle: () => undefined },
    content: { kind: bytes.length === 0 ? 'none' : 'json', bytes, stream: undefined, digest },
    params: { path: {}, query: {}, body: {}, truncated: false, digest },
    resource: {
      project: '',
      repository: 'zyx/platform-infra',
      channel: '',
      account: '',
      amount: { value: 0, currency: '' },
      ...wanted.resource,
    },
    environment: 'development',
    phase: '',
    late: false,
    amount: undefined,
    findings: NOTHING_FOUND,
    spend: { day: 0, task: 0 },
    reservation: undefined,
    approval: undefined,
    askedAtMs: Date.UTC(2026, 10, 21, 9, 0, 0, 125),
    input: NOBODY,
    decision: { allow: true, risk: 1, reasons: [], reported: [], obligations: [] },
    policy: { digest: 'sha256:3f1c', revision: '2026-11-21.1' },
  }
}

/** The same call with its permit and its upstream request, as seal hands it over. */
export function syntheticSealed(wanted: SyntheticCall = {}): Sealed {
  return {
    permit: permitted(syntheticCall(wanted)),
    request: {
      origin: 'https://upstream.example',
      method: 'GET',
      target: '/repos/zyx/platform-infra/pulls/991',
      headers: ['authorization', 'Bearer upstream-credential'],
      body: undefined,
    },
    credentialVersion: 'file:1',
    lockEpoch: 7,
  }
}

export function syntheticOutcome(wanted: Partial<Outcome> = {}): Outcome {
  const allowed = (wanted.code ?? 'allowed') === 'allowed'
  return {
    code: 'allowed',
    status: allowed ? 200 : 403,
    upstreamStatus: allowed ? 200 : 0,
    upstreamMs: allowed ? 12 : 0,
    replyBytes: 600,
    replyDigest: createHash('sha256').update('reply').digest('hex'),
    reasons: [],
    detail: '',
    cause: undefined,
    ...wanted,
  }
}

function syntheticArrival({ callId, startedMs }: SyntheticCall, connector: Connector): Arrival {
  return {
    callId: (callId ?? randomUUID()) as CallId,
    receivedAtMs: Date.UTC(2026, 10, 21, 9, 0, 0, 125),
    startedMs: startedMs ?? performance.now(),
    request: new IncomingMessage(new Socket()),
    addressed: { connector, upstreamPath: '/repos/zyx/platform-infra/pulls/991', entrance: 'prefix' },
    signal: new AbortController().signal,
    abort: () => undefined,
  }
}

function syntheticConnector(name: string, sensitiveResources: Connector['sensitiveResources']): Connector {
  return {
    name,
    origin: 'https://upstream.example',
    basePath: '',
    dialect: 'problem',
    bodyLimitBytes: 1_048_576,
    prefix: `/${name}`,
    headers: { request: [], response: [] },
    redirectHosts: [],
    links: { header: false, body: false, origins: [] },
    credentialParameters: { query: [], body: [] },
    sensitiveResources,
  }
}

const SYNTHETIC_CALLER: Caller = {
  agent: { id: 'change-review', issuer: 'https://issuer.example', binding: 'dpop', key: 'thumbprint' },
  principal: { id: 'mira', groups: ['sre'], deviceCompliant: true, act: ['change-review'] },
  tenant: 'zyx',
  scopes: [],
  authorizationDetails: [],
  tokenId: 'token-1',
  tokenIssuedAtMs: Date.UTC(2026, 10, 21, 8, 55),
  tokenExpiresAtMs: Date.UTC(2026, 10, 21, 10),
  replay: undefined,
  nextNonce: undefined,
}
