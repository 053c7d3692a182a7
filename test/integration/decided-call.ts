import type { Connector, Operation } from '../../gateway/catalog/connector.ts'
import { NOTHING_FOUND } from '../../gateway/detectors/findings.ts'
import type { Decided, ReadBody, Received } from '../../gateway/exchange.ts'
import { NOBODY } from '../../gateway/policy/evaluation/self-test.ts'

/** The call as it is after decide, had all stages since receive had nothing against it. */
export async function decidedCall(
  received: Received,
  connector: Connector,
  operation: Partial<Operation>,
): Promise<Decided> {
  const { method, path } = received
  const access = method === 'GET' || method === 'HEAD' ? 'read' : 'write'
  const params = { path: {}, query: {}, body: {}, truncated: false, digest: '' }
  return {
    ...received,
    caller: {
      agent: { id: 'agent', issuer: 'https://issuer.test', binding: 'dpop', key: 'key' },
      principal: { id: 'person', groups: [], deviceCompliant: true, act: [] },
      tenant: 'tenant',
      scopes: [],
      authorizationDetails: [],
      tokenId: 'token',
      tokenIssuedAtMs: 0,
      tokenExpiresAtMs: 0,
      replay: undefined,
      nextNonce: undefined,
    },
    connector,
    operation: {
      id: 'vendor.any',
      connector: 'vendor',
      method,
      template: path,
      access,
      risk: 0,
      dataClass: 'internal',
      reversible: true,
      ...operation,
    },
    pathParams: {},
    upstreamPath: connector.basePath + path,
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
    content: await contentOf(received),
    params,
    resource: { project: '', repository: '', channel: '', account: '', amount: { value: 0, currency: '' } },
    environment: 'unknown',
    phase: '',
    late: false,
    amount: undefined,
    findings: NOTHING_FOUND,
    spend: { day: 0, task: 0 },
    reservation: undefined,
    approval: undefined,
    askedAtMs: received.arrival.receivedAtMs,
    input: NOBODY,
    decision: { allow: true, risk: 0, reasons: [], reported: [], obligations: [] },
    policy: { digest: '', revision: '' },
  }
}

/** JSON and forms whole, everything else as a stream, as read leaves them. */
async function contentOf({ body }: Received): Promise<ReadBody> {
  const none = { bytes: Buffer.alloc(0), stream: undefined, digest: '' }
  if (body.declaredBytes === 0) return { kind: 'none', ...none }
  if (body.mediaType === 'application/json' || body.mediaType === 'application/x-www-form-urlencoded') {
    const bytes = Buffer.concat((await body.stream.toArray()) as Buffer[])
    return { kind: body.mediaType === 'application/json' ? 'json' : 'form', ...none, bytes }
  }
  return { kind: 'opaque', ...none, stream: body.stream }
}
