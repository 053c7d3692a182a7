import type { Clock } from '../lib/clock.ts'
import type { ChannelStore } from './channel-store.ts'
import { createEmbeddedChannelStore } from './embedded-channel-store.ts'
import type { ControlPlace } from './open-control.ts'
import { createRedisChannelStore } from './redis-channel-store.ts'

/** What channels have to know in common lies where people's decisions do. */
export function openChannelStore(place: ControlPlace, clock: Pick<Clock, 'nowMs'>): ChannelStore {
  return place.kind === 'embedded'
    ? createEmbeddedChannelStore({ file: place.file, clock })
    : createRedisChannelStore(place)
}
