import type { History } from '../exchange.ts'
import type { Feedback } from '../limits/feedback.ts'
import { addEvent, bucketUs, countEvents, type SlidingCount, slidingCount } from '../limits/sliding-count.ts'
import {
  type AdmissionDemand,
  CALLS_WINDOW_MS,
  DENIALS_WINDOW_MS,
  ERRORS_WINDOW_MS,
  MOST_AGENT_TASKS,
  MOST_TASK_OPERATIONS,
} from './admission-store.ts'
import { RecentOperations } from './recent-operations.ts'

interface Task {
  writes: number
  readonly operations: Map<string, number>
}

/** What is remembered of one proven agent of one tenant. */
export interface Agent {
  readonly tag: string
  readonly name: string
  /** Used right before this one, and right after; `undefined` at either end. */
  older: Agent | undefined
  newer: Agent | undefined
  openUntilUs: number
  readonly calls: SlidingCount
  readonly denials: SlidingCount
  readonly errors: SlidingCount
  readonly failures: SlidingCount
  /** Bounded by the catalogue: only operations that exist get here. */
  readonly used: Set<string>
  readonly recent: RecentOperations
  readonly tasks: Map<string, Task>
}

export interface AgentMemory {
  /** Made when unknown; the one longest unused makes room. */
  of(tag: string, agent: string): Agent
}

const NO_OPERATIONS: readonly string[] = []
const CALLS_US = bucketUs(CALLS_WINDOW_MS)
const DENIALS_US = bucketUs(DENIALS_WINDOW_MS)
const ERRORS_US = bucketUs(ERRORS_WINDOW_MS)

export function createAgentMemory(capacity: number): AgentMemory {
  return new LinkedAgents(capacity)
}

/**
 * Agents by tenant and name, and in a chain by when they were used: a use moves an agent to its end and leaves the maps as
 * they are, which would else be filled and emptied by every call.
 */
class LinkedAgents implements AgentMemory {
  readonly #capacity: number
  readonly #tenants = new Map<string, Map<string, Agent>>()
  #size = 0
  #oldest: Agent | undefined
  #newest: Agent | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  of(tag: string, name: string): Agent {
    const known = this.#tenants.get(tag)?.get(name)
    if (known === undefined) return this.#add(tag, name)
    if (known !== this.#newest) {
      this.#unlink(known)
      this.#append(known)
    }
    return known
  }

  #add(tag: string, name: string): Agent {
    if (this.#size >= this.#capacity && this.#oldest !== undefined) this.#forget(this.#oldest)
    const made: Agent = {
      tag,
      name,
      older: undefined,
      newer: undefined,
      openUntilUs: 0,
      calls: slidingCount(),
      denials: slidingCount(),
      errors: slidingCount(),
      failures: slidingCount(),
      used: new Set(),
      recent: new RecentOperations(),
      tasks: new Map(),
    }
    const agents = this.#tenants.get(tag) ?? new Map<string, Agent>()
    this.#tenants.set(tag, agents.set(name, made))
    this.#size += 1
    this.#append(made)
    return made
  }

  #forget(agent: Agent): void {
    const agents = this.#tenants.get(agent.tag)
    agents?.delete(agent.name)
    if (agents?.size === 0) this.#tenants.delete(agent.tag)
    this.#size -= 1
    this.#unlink(agent)
  }

  #append(agent: Agent): void {
    agent.older = this.#newest
    if (this.#newest === undefined) this.#oldest = agent
    else this.#newest.newer = agent
    this.#newest = agent
  }

  #unlink(agent: Agent): void {
    const { older, newer } = agent
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    agent.older = undefined
    agent.newer = undefined
  }
}

/** Reads the history, then adds the call to it. */
export function beginCall(agent: Agent, demand: AdmissionDemand, nowUs: number): History {
  const task = demand.task === '' ? undefined : agent.tasks.get(demand.task)
  const history: History = {
    calls1m: countEvents(agent.calls, CALLS_US, nowUs),
    denials10m: countEvents(agent.denials, DENIALS_US, nowUs),
    errors1h: countEvents(agent.errors, ERRORS_US, nowUs),
    writesTask: task?.writes ?? 0,
    firstUse: !agent.used.has(demand.operation),
    operationsTask: task === undefined ? NO_OPERATIONS : [...task.operations.keys()],
    operations1h: agent.recent.begin(demand.operation, nowUs),
  }
  addEvent(agent.calls, CALLS_US, nowUs)
  if (demand.task !== '') addToTask(task ?? makeTask(agent, demand.task), demand)
  return history
}

/** Takes back what did not happen and counts how the call went; mirrors settle.lua. */
export function endCall(agent: Agent, demand: AdmissionDemand, feedback: Feedback, nowUs: number): void {
  if (feedback.succeeded) agent.used.add(demand.operation)
  agent.recent.end(demand.operation, feedback.forwarded, nowUs)
  const task = agent.tasks.get(demand.task)
  if (task !== undefined) {
    if (demand.access !== 'read' && !feedback.forwarded) task.writes = Math.max(0, task.writes - 1)
    if (!feedback.succeeded) {
      const left = (task.operations.get(demand.operation) ?? 1) - 1
      if (left > 0) task.operations.set(demand.operation, left)
      else task.operations.delete(demand.operation)
    }
  }
  if (feedback.denied) addEvent(agent.denials, DENIALS_US, nowUs)
  if (feedback.errored) addEvent(agent.errors, ERRORS_US, nowUs)
  // Calls that were in flight when the breaker opened do not keep it open.
  if (feedback.failed && agent.openUntilUs <= nowUs) {
    const { failures, windowMs, openMs } = demand.agentBreaker
    const widthUs = bucketUs(windowMs)
    addEvent(agent.failures, widthUs, nowUs)
    if (countEvents(agent.failures, widthUs, nowUs) >= failures) {
      agent.failures.fill(0)
      agent.openUntilUs = nowUs + openMs * 1000
    }
  }
}

function makeTask(agent: Agent, name: string): Task {
  if (agent.tasks.size >= MOST_AGENT_TASKS) dropOldest(agent.tasks)
  const made: Task = { writes: 0, operations: new Map() }
  agent.tasks.set(name, made)
  return made
}

function addToTask(task: Task, { access, operation }: AdmissionDemand): void {
  if (access !== 'read') task.writes++
  const held = task.operations.get(operation)
  if (held !== undefined || task.operations.size < MOST_TASK_OPERATIONS) {
    task.operations.set(operation, (held ?? 0) + 1)
  }
}

function dropOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
