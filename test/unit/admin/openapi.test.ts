import { expect, it } from 'vitest'
import { adminDescription } from '../../../gateway/admin/openapi.ts'
import { approvalRoutes } from '../../../gateway/approvals/approval-routes.ts'
import type { ApprovalService } from '../../../gateway/approvals/approval-service.ts'
import type { ControlRoute } from '../../../gateway/control/control.ts'
import { lockRoutes, type LockRoutesOptions } from '../../../gateway/locks/lock-routes.ts'

const described = Object.entries(adminDescription.paths).flatMap(([path, item]) =>
  Object.keys(item)
    .filter((method) => method !== 'parameters')
    .map((method) => `${method.toUpperCase()} ${path}`),
)
const namesOf = (routes: readonly ControlRoute[]): string[] =>
  routes.map(({ method, pattern }) => `${method} /admin/v1/${pattern}`)

it('describes every route of approvals, and none that is not there', () => {
  // Nothing is asked of it: a route names itself.
  const routes = namesOf(approvalRoutes({} as ApprovalService))
  expect(described.filter((name) => name.includes('approvals')).sort()).toEqual(routes.sort())
})

it('describes every route of locks, and none that is not there', () => {
  const routes = namesOf(lockRoutes({} as LockRoutesOptions))
  expect(described.filter((name) => name.includes('locks')).sort()).toEqual(routes.sort())
})

it('says of everything but health and channels who may ask, and that others are refused', () => {
  for (const [path, item] of Object.entries(adminDescription.paths)) {
    if (/^\/(?:health|ready|channels)/.test(path)) continue
    for (const operation of Object.values(item)) {
      if (!('responses' in operation)) continue
      expect(operation).toHaveProperty('security')
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403']))
    }
  }
})
