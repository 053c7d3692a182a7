import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { ControlRequest } from '../../../gateway/control/control.ts'
import { type AskedWorker, ControlRelay } from '../../../gateway/workers/control-relay.ts'
import type { ToWorker } from '../../../gateway/workers/messages.ts'

const ASKED: ControlRequest = {
  method: 'POST',
  path: 'locks',
  query: '',
  body: { scope: 'all' },
  actor: { kind: 'operator' },
}

type Behaviour = 'answers' | 'is silent' | 'dies' | 'is unreachable' | 'has left'

class StandIn extends EventEmitter implements AskedWorker {
  readonly id: number
  readonly got: ToWorker[] = []
  behaviour: Behaviour

  constructor(id: number, behaviour: Behaviour) {
    super()
    this.id = id
    this.behaviour = behaviour
  }

  isConnected(): boolean {
    return this.behaviour !== 'has left'
  }

  send(message: ToWorker, callback: (error: Error | null) => void): boolean {
    if (this.behaviour === 'is unreachable') {
      callback(new Error('channel closed'))
      return false
    }
    this.got.push(message)
    callback(null)
    if (this.behaviour === 'dies') this.emit('exit')
    if (this.behaviour === 'answers' && 'request' in message) {
      this.emit('message', {
        kind: 'answer',
        request: message.request,
        answer: { status: 200, body: { worker: this.id } },
      })
    }
    return true
  }
}

function fleetOf(...behaviours: readonly Behaviour[]) {
  const relay = new ControlRelay(50)
  const workers = behaviours.map((behaviour, index) => new StandIn(index + 1, behaviour))
  for (const worker of workers) {
    relay.add(worker)
    worker.emit('message', { kind: 'started' })
  }
  return { relay, workers, asked: () => workers.map(({ got }) => got.length) }
}

describe('a request passed to the workers', () => {
  it('is answered by one of them', async () => {
    const { relay, asked } = fleetOf('answers', 'answers')
    expect(await relay.control(ASKED)).toEqual({ status: 200, body: { worker: 1 } })
    expect(asked()).toEqual([1, 0])
  })

  it('goes to them turn by turn', async () => {
    const { relay, asked } = fleetOf('answers', 'answers')
    await relay.control(ASKED)
    await relay.control(ASKED)
    expect(asked()).toEqual([1, 1])
  })

  it.each(['is unreachable', 'has left'] as const)('goes to the next when one %s', async (behaviour) => {
    const { relay } = fleetOf(behaviour, 'answers')
    expect(await relay.control(ASKED)).toEqual({ status: 200, body: { worker: 2 } })
  })

  it('is never given to a second once one has it, though that one dies', async () => {
    const { relay, asked } = fleetOf('dies', 'answers')
    expect(await relay.control(ASKED)).toMatchObject({ status: 502, body: { status: 502 } })
    expect(asked()).toEqual([1, 0])
  })

  it('is never given to a second, though the first is silent', async () => {
    const { relay, asked } = fleetOf('is silent', 'answers')
    expect((await relay.control(ASKED)).status).toBe(504)
    expect(asked()).toEqual([1, 0])
  })

  it('is 503 when nobody can be asked', async () => {
    expect((await fleetOf('has left').relay.control(ASKED)).status).toBe(503)
    expect(
      (await fleetOf().relay.channel({ path: 'x', untrustedHeaders: [], untrustedBodyBase64: '' })).status,
    ).toBe(503)
  })

  it('waits for a worker that has come up before it is asked', async () => {
    const relay = new ControlRelay(50)
    const worker = new StandIn(1, 'answers')
    relay.add(worker)
    expect((await relay.control(ASKED)).status).toBe(503)
    worker.emit('message', { kind: 'started' })
    expect((await relay.control(ASKED)).status).toBe(200)
  })
})
