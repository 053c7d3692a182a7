import { approvalRoutes } from './approvals/approval-routes.ts'
import type { ChannelRoute, ControlPlane, ControlRoute } from './control/control.ts'
import type { Generation } from './generation.ts'
import type { Lasting } from './lasting.ts'
import type { Clock } from './lib/clock.ts'
import { lockRoutes } from './locks/lock-routes.ts'
import type { LockScope } from './locks/scope.ts'

/** What people can ask of this gateway at the admin listener; each part makes its own routes. */
export function controlRoutesOf(
  { approvals, locks, lockService }: Lasting,
  current: () => Generation,
  clock: Clock,
): readonly ControlRoute[] {
  const stopsNothing = (scope: LockScope): string | undefined => unknownIn(current(), scope)
  return [
    ...approvalRoutes(approvals.service),
    ...lockRoutes({ service: lockService, locks, clock, stopsNothing }),
  ]
}

/** What channels such as Slack may post; what they ask for is asked of `control`, as by anybody. */
export function channelRoutesOf(
  { channels }: Lasting,
  control: ControlPlane['control'],
): readonly ChannelRoute[] {
  return channels.routes(control)
}

/** Only a warning: in a fleet this configuration may not be the only one. */
function unknownIn({ catalog }: Generation, scope: LockScope): string | undefined {
  const names = catalog.connectors.map(({ name }) => name)
  if (scope.kind === 'connector' && !names.includes(scope.name))
    return `no connector here is called ${scope.name}: there are ${names.join(', ')}`
  if (scope.kind !== 'operation') return undefined
  const isKnown = names.some((name) => catalog.operations(name).some(({ id }) => id === scope.name))
  return isKnown ? undefined : `no connector here has the operation ${scope.name}`
}
