import type { ActorFields } from '../entry-fields.ts'

/** Who it was, and which way they came; empty for nobody. */
export function nameOfActor(by: ActorFields | undefined): string {
  switch (by?.kind) {
    case undefined:
      return ''
    case 'person':
      return `${by.id ?? ''} (${by.channel ?? ''})`
    case 'operator':
      return 'operator'
    case 'gateway':
      return `gateway: ${by.part ?? ''}`
  }
}
