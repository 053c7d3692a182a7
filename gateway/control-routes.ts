import type { ChannelRoute, ControlRoute } from './control/control.ts'
import type { Lasting } from './lasting.ts'

/** What people can ask of this gateway at the admin listener; each part makes its own routes. */
export function controlRoutesOf(_lasting: Lasting): readonly ControlRoute[] {
  return []
}

/** What channels such as Slack may post. */
export function channelRoutesOf(_lasting: Lasting): readonly ChannelRoute[] {
  return []
}
