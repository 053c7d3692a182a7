import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { NOTHING_FOUND } from '../../../gateway/detectors/findings.ts'
import type { CallId, Presented } from '../../../gateway/exchange.ts'
import { HeaderList } from '../../../gateway/lib/header-list.ts'
import type { Connector } from '../../../gateway/catalog/connector.ts'

const CONNECTOR: Connector = {
  name: 'github',
  origin: 'https://api.github.com',
  basePath: '',
  dialect: 'github',
  bodyLimitBytes: 1024,
  prefix: '/github',
  headers: { request: [], response: [] },
  redirectHosts: [],
  links: { header: false, body: false, origins: [] },
  credentialParameters: { query: [], body: [] },
  sensitiveResources: [],
}

/** Dana, through the change review, reads pull request 991. */
export function aCall(): Presented {
  const path = '/repos/zyx/platform-infra/pulls/991'
  return {
    arrival: {
      callId: '019aa5b2-0000-7000-8000-000000000000' as CallId,
      receivedAtMs: Date.parse('2026-11-23T09:00:00Z'),
      startedMs: 0,
      request: new IncomingMessage(new Socket()),
      addressed: { connector: CONNECTOR, upstreamPath: path, entrance: 'prefix' },
      signal: new AbortController().signal,
      abort: () => undefined,
    },
    method: 'GET',
    target: `/github${path}`,
    path: `/github${path}`,
    query: '',
    headers: new HeaderList([]),
    peer: { address: '127.0.0.1', secure: true, certificate: undefined },
    body: { declaredBytes: 0, stream: Readable.from([]), mediaType: '' },
    declared: { task: 't', rationale: 'review', ticket: 'CHG-18422', rollbackPlan: 'Close it.' },
    wishes: { approval: '', waitMs: 0, respondAsync: false },
    trace: { traceId: '', spanId: '', parentId: undefined, sampled: false, state: undefined },
    caller: {
      agent: { id: 'change-review-agent', issuer: 'https://id.zyx.example', binding: 'dpop', key: 'k' },
      principal: {
        id: 'dana@zyx.example',
        groups: ['devsecops-change-review'],
        deviceCompliant: true,
        act: ['change-review-agent'],
      },
      tenant: 'zyx-bank',
      scopes: ['tools'],
      authorizationDetails: [],
      tokenId: 'jti',
      tokenIssuedAtMs: 0,
      tokenExpiresAtMs: 0,
      replay: undefined,
      nextNonce: undefined,
    },
    connector: CONNECTOR,
    operation: {
      id: 'github.pulls/get',
      connector: 'github',
      method: 'GET',
      template: '/repos/{owner}/{repo}/pulls/{pull_number}',
      access: 'read',
      risk: 0,
      dataClass: 'internal',
      reversible: true,
    },
    pathParams: { owner: 'zyx', repo: 'platform-infra', pull_number: '991' },
    upstreamPath: path,
    history: {
      calls1m: 2,
      denials10m: 0,
      errors1h: 1,
      writesTask: 0,
      firstUse: true,
      operationsTask: [],
      operations1h: ['github.pulls/list'],
    },
    dataClassesTask: [],
    dataClasses1h: [],
    recall: () => [],
    limits: [],
    lease: { settle: () => {} },
    content: { kind: 'none', bytes: Buffer.alloc(0), stream: undefined, digest: '' },
    params: {
      path: { owner: 'zyx', repo: 'platform-infra', pull_number: '991' },
      query: {},
      body: {},
      truncated: false,
      digest: '',
    },
    resource: {
      project: '',
      repository: 'zyx/platform-infra',
      channel: '',
      account: '',
      amount: { value: 0, currency: '' },
    },
    environment: 'staging',
    phase: '',
    late: false,
    amount: undefined,
    findings: NOTHING_FOUND,
    spend: { day: 0, task: 0 },
    reservation: undefined,
    approval: undefined,
    askedAtMs: Date.parse('2026-11-23T09:00:00Z'),
  }
}
