import type { Answer } from '../harness/send.ts'
import { type ConnectorName, WRITES } from './refusals-calls.ts'
import type { Ground } from './refusals-ground.ts'
import type { Row } from './refusals-provocations.ts'

type Provoke = Row['provoke']

function write(ground: Ground, connector: ConnectorName, key: string, body?: string): Promise<Answer> {
  const headers = { 'idempotency-key': `${key}-${connector}` }
  return ground.write('plain', connector, body === undefined ? { headers } : { headers, body })
}

async function made(ground: Ground, connector: ConnectorName, key: string): Promise<void> {
  const { decision, text } = await write(ground, connector, key)
  if (decision !== 'allow') throw new Error(`not allowed: ${text}`)
}

export const KEY_PROVOCATIONS = {
  'idempotency.in_flight': async (ground, connector) => {
    await using _first = await ground.held('plain', connector, undefined, [
      `Idempotency-Key: one-${connector}`,
    ])
    return await write(ground, connector, 'one')
  },
  'idempotency.done': async (ground, connector) => {
    await made(ground, connector, 'two')
    // The key is done once its call is, which is a little later than its answer.
    await ground.idle('plain')
    return await write(ground, connector, 'two')
  },
  'idempotency.mismatch': async (ground, connector) => {
    await made(ground, connector, 'three')
    return write(ground, connector, 'three', `${WRITES[connector].body ?? ''} `)
  },
} as const satisfies Record<string, Provoke>
