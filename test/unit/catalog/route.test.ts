import { describe, expect, it } from 'vitest'
import type { Identified, Routed } from '../../../gateway/exchange.ts'
import type { Verdict } from '../../../gateway/refusal.ts'
import { createRoute } from '../../../gateway/stages/route.ts'
import { loadCommitted } from './catalog-harness.ts'

const catalog = loadCommitted({ jira: { origin: 'https://api.atlassian.com/ex/jira/11223344' } })
const route = createRoute(catalog)

/** As much of an identified call as routing reads. */
function routed(method: string, path: string): Verdict<Routed> {
  const addressed = catalog.connectorAt({ path, untrustedHost: 'gateway.test', port: 8080 })
  return route({ method, path, arrival: { addressed } } as Identified)
}

describe('routing', () => {
  it('finds the operation, its values, and the path that is forwarded', () => {
    expect(routed('GET', '/github/repos/zyx/platform-infra/pulls/991')).toMatchObject({
      ok: true,
      value: {
        method: 'GET',
        connector: { name: 'github' },
        operation: { id: 'github.pulls/get', access: 'read' },
        pathParams: { owner: 'zyx', repo: 'platform-infra', pull_number: '991' },
        upstreamPath: '/repos/zyx/platform-infra/pulls/991',
      },
    })
  })

  it('keeps the method that was sent', () => {
    expect(routed('HEAD', '/github/repos/a/b')).toMatchObject({
      value: { method: 'HEAD', operation: { method: 'GET' } },
    })
  })

  it('puts the base path of the origin before the path, and nothing else', () => {
    expect(routed('GET', '/jira/rest/api/3/issue/CHG-18422')).toMatchObject({
      value: { upstreamPath: '/ex/jira/11223344/rest/api/3/issue/CHG-18422' },
    })
  })

  it('forwards the bytes that were matched', () => {
    expect(routed('GET', '/github/repos/a/b/contents/x%2fy%20z')).toMatchObject({
      value: { upstreamPath: '/repos/a/b/contents/x%2fy%20z', pathParams: { path: 'x/y z' } },
    })
  })

  it.each([
    ['no connector', '/nowhere/repos/a/b', 'route.unknown_connector'],
    ['no operation', '/github/graphql', 'route.unknown_operation'],
    [
      'a path that climbs out of the connector',
      '/github/../jira/rest/api/3/issue/X-1',
      'request.target_invalid',
    ],
    ['a value that could be an operation', '/github/repos/a/b/commits/x/y/status', 'request.ambiguous'],
  ])('refuses a call with %s', (_what, path, code) => {
    expect(routed('GET', path)).toMatchObject({ ok: false, refusal: { code } })
  })
})
