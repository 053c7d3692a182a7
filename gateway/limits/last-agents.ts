interface Heard {
  readonly agent: string
  readonly atMs: number
}

/** The two agents heard of last, and when: enough to tell whether there was another one than a given agent. */
export class LastAgents {
  #last: Heard = { agent: '', atMs: -Infinity }
  #before = this.#last

  note(agent: string, nowMs: number): void {
    if (agent !== this.#last.agent) this.#before = this.#last
    this.#last = { agent, atMs: nowMs }
  }

  /** Whether an agent was heard of since `fromMs`, other than `agent`. */
  hasOther(agent: string, fromMs: number): boolean {
    return isOther(this.#last, agent, fromMs) || isOther(this.#before, agent, fromMs)
  }
}

function isOther(heard: Heard, agent: string, fromMs: number): boolean {
  return heard.atMs > fromMs && heard.agent !== agent
}
