import type { Answer } from '../harness/send.ts'
import { answerOf } from '../harness/send.ts'
import { CONNECTORS, type ConnectorName } from './refusals-calls.ts'
import type { Ground } from './refusals-ground.ts'
import type { GatewayKind } from './refusals-kinds.ts'

/** No sandbox for policy can be made while this lasts. */
export function exhaustMemory(): Disposable {
  const memory: unknown = Reflect.get(WebAssembly, 'Memory')
  const define = (value: unknown): unknown =>
    Object.defineProperty(WebAssembly, 'Memory', { value, writable: true, configurable: true })
  define(function exhausted() {
    throw new RangeError('could not allocate memory')
  })
  return { [Symbol.dispose]: () => void define(memory) }
}

export async function readAs(
  ground: Ground,
  kind: GatewayKind,
  connector: ConnectorName,
  agent: string,
  task = 'none',
): Promise<Answer> {
  const token = (await ground.gateway(kind)).token({ claims: { client_id: agent } })
  return ground.read(kind, connector, { token, headers: { 'toolgate-task': task } })
}

export async function twice(ground: Ground, connector: ConnectorName, agent: string): Promise<Answer> {
  await readAs(ground, 'plain', connector, agent)
  return readAs(ground, 'plain', connector, agent)
}

const drained = new WeakMap<Ground, Promise<Map<ConnectorName, Answer>>>()

/** One gateway drains once: with a call of every connector under way. */
export async function drainedWith(ground: Ground, connector: ConnectorName): Promise<Answer> {
  const answers = drained.get(ground) ?? drainAll(ground)
  drained.set(ground, answers)
  return (await answers).get(connector) as Answer
}

async function drainAll(ground: Ground): Promise<Map<ConnectorName, Answer>> {
  const { gateway } = await ground.gateway('drained')
  await using stack = new AsyncDisposableStack()
  const held = []
  for (const connector of CONNECTORS) held.push(stack.use(await ground.held('drained', connector)))
  await gateway.drain(new AbortController().signal)
  const answers = new Map<ConnectorName, Answer>()
  for (const [index, client] of held.entries()) {
    const { status, headers, body } = await client.response()
    answers.set(CONNECTORS[index] as ConnectorName, answerOf(status, headers, body.toString()))
  }
  return answers
}

/** Locks an agent, unless it is locked already. */
export async function lockedOut(ground: Ground, kind: GatewayKind, agent: string): Promise<void> {
  const { gateway } = await ground.gateway(kind)
  const asked = { path: 'locks', query: '', body: undefined, actor: { kind: 'operator' } } as const
  const { body } = await gateway.control({ ...asked, method: 'GET' })
  const scope = `agent:${agent}`
  if (JSON.stringify(body).includes(scope)) return
  const answer = await gateway.control({ ...asked, method: 'POST', body: { scope, reason: 'test' } })
  if (answer.status !== 201) throw new Error(`the lock was not set: ${JSON.stringify(answer.body)}`)
}
