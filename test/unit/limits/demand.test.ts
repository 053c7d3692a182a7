import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Access } from '../../../gateway/catalog/connector.ts'
import type { LimitDimension, LimitMatch, LimitsConfig } from '../../../gateway/config/config.ts'
import type { Caller } from '../../../gateway/caller.ts'
import type { Routed } from '../../../gateway/exchange.ts'
import { compileDemand } from '../../../gateway/limits/demand.ts'
import type { AdmissionDemand } from '../../../gateway/store/admission-store.ts'
import { syntheticCall } from '../../harness/synthetic-call.ts'

const EVERYTHING: LimitMatch = { connectors: [], operations: [], access: [], agents: [] }

interface Names {
  readonly tenant?: string
  readonly agent?: string
  readonly issuer?: string
  readonly principal?: string
  readonly operation?: string
  readonly access?: Access
  readonly task?: string
}

function routed(names: Names = {}): Routed {
  const call = syntheticCall({ declared: { task: names.task ?? '' }, access: names.access ?? 'read' })
  const caller: Caller = {
    ...call.caller,
    tenant: names.tenant ?? 'zyx',
    agent: { ...call.caller.agent, id: names.agent ?? 'change-review', issuer: names.issuer ?? 'idp' },
    principal: { ...call.caller.principal, id: names.principal ?? 'mira' },
  }
  return { ...call, caller, operation: { ...call.operation, id: names.operation ?? call.operation.id } }
}

function limits(by: readonly LimitDimension[], match: Partial<LimitMatch> = {}): LimitsConfig {
  const rate = { name: 'pace', by, match: { ...EVERYTHING, ...match }, calls: 10, windowMs: 1_000, burst: 5 }
  return { rates: [rate], quotas: [], concurrency: [] }
}

const agentBreaker = { failures: 5, windowMs: 60_000, openMs: 60_000 }

function demandFor(config: LimitsConfig, shares = 1): (names?: Names) => AdmissionDemand {
  const demand = compileDemand({ limits: config, agentBreaker, shares })
  return (names) => demand(routed(names))
}

describe('the key of a limit', () => {
  const dimensions: LimitDimension[] = ['tenant', 'agent', 'principal', 'connector', 'operation', 'access']

  it('differs exactly when a name that it counts by differs', () => {
    const name = fc.oneof(fc.constantFrom('a', 'b', 'a:b', '{a}', 'a}', '', ' '), fc.string({ maxLength: 6 }))
    const names = fc.record({ tenant: name, agent: name, issuer: name, principal: name })
    fc.assert(
      fc.property(fc.subarray(dimensions), names, names, (by, one, other) => {
        const demand = demandFor(limits(by))
        const same =
          (!by.includes('tenant') || one.tenant === other.tenant) &&
          (!by.includes('agent') || (one.agent === other.agent && one.issuer === other.issuer)) &&
          (!by.includes('principal') || (one.principal === other.principal && one.issuer === other.issuer))
        expect(demand(one).rates[0]?.key === demand(other).rates[0]?.key).toBe(same)
      }),
      { numRuns: 1_000 },
    )
  })

  it('cannot be steered into the tag or the counter of another tenant', () => {
    const demand = demandFor(limits(['tenant', 'agent']))
    const victim = demand({ tenant: 'victim', agent: 'agent' })
    for (const tenant of ['victim}', 'x}{victim', '{victim}', 'victim}:r:pace:idp:agent', '', ' victim']) {
      const attack = demand({ tenant, agent: 'agent' })
      expect(attack.rates[0]?.key).not.toBe(victim.rates[0]?.key)
      expect(attack.tag).toMatch(/^\{[^{}: ]+\}$/)
      expect(attack.tag).not.toBe(victim.tag)
    }
  })

  it('keeps agents of the same name of two issuers apart, in limits and in history', () => {
    const demand = demandFor(limits(['agent']))
    expect(demand({ issuer: 'one' }).rates[0]?.key).not.toBe(demand({ issuer: 'two' }).rates[0]?.key)
    expect(demand({ issuer: 'one' }).agent).not.toBe(demand({ issuer: 'two' }).agent)
  })

  it('is shared by all tenants when it does not count by tenant', () => {
    const demand = demandFor(limits(['operation']))
    expect(demand({ tenant: 'one' }).rates).toEqual(demand({ tenant: 'two' }).rates)
    expect(demand({ tenant: 'one' }).rates[0]?.key).toMatch(/^\{%g\}:/)
    expect(demandFor(limits(['tenant']))({ tenant: '%g' }).rates[0]?.key).not.toMatch(/^\{%g\}/)
  })

  it('tells operations and access apart when it counts by them', () => {
    const keys = [
      demandFor(limits(['operation']))({ operation: 'github.a' }),
      demandFor(limits(['operation']))({ operation: 'github.b' }),
      demandFor(limits(['access']))({ access: 'read' }),
      demandFor(limits(['access']))({ access: 'write', operation: 'github.w' }),
      demandFor(limits(['connector']))(),
    ].map(({ rates }) => rates[0]?.key)
    expect(new Set(keys).size).toBe(5)
  })
})

describe('a limit', () => {
  it.each([
    [{ connectors: ['github'] }, 1],
    [{ connectors: ['jira'] }, 0],
    [{ operations: ['github.pulls/get'] }, 1],
    [{ operations: ['github.pulls/*'] }, 1],
    [{ operations: ['github.issues/*'] }, 0],
    [{ access: ['write'] as const }, 0],
    [{ agents: ['change-review'] }, 1],
    [{ agents: ['change-*'] }, 1],
    [{ agents: ['other'] }, 0],
    [{ agents: ['change-review'], access: ['write'] as const }, 0],
  ])('that matches %j applies %i times', (match, count) => {
    expect(demandFor(limits(['agent'], match))().rates).toHaveLength(count)
  })

  it('has a share for a gateway that counts alone, never less than one call', () => {
    const demand = demandFor(
      {
        ...limits(['tenant']),
        quotas: [{ name: 'daily', by: ['tenant'], match: EVERYTHING, calls: 3, per: 'day' }],
        concurrency: [{ name: 'held', by: ['tenant'], match: EVERYTHING, calls: 9, leaseMs: 60_000 }],
      },
      4,
    )()
    expect(demand.rates[0]).toMatchObject({
      whole: { calls: 10, burst: 5, intervalUs: 100_000, windowMs: 1_000 },
      share: { calls: 10, burst: 1, intervalUs: 400_000, windowMs: 1_000 },
    })
    expect(demand.quotas[0]?.share.calls).toBe(1)
    expect(demand.concurrency[0]?.share.calls).toBe(2)
  })
})

it('carries the encoded task, empty when none was declared', () => {
  const demand = demandFor(limits([]))
  expect(demand({ task: 'CHG 1' }).task).toBe('CHG%20;1')
  expect(demand().task).toBe('')
})

describe('what is kept of a caller', () => {
  const dimensions: LimitDimension[] = ['tenant', 'agent', 'principal', 'operation']
  const config: LimitsConfig = {
    rates: [limits(dimensions).rates, limits(['tenant']).rates].flat().map((rate, at) => ({
      ...rate,
      name: `rate-${at}`,
    })),
    quotas: [
      { name: 'daily', by: ['agent'], match: { ...EVERYTHING, agents: ['a*'] }, calls: 9, per: 'day' },
    ],
    concurrency: [{ name: 'held', by: ['principal'], match: EVERYTHING, calls: 3, leaseMs: 1_000 }],
  }
  const name = fc.constantFrom('a', 'ab', 'b')
  const names = fc.record({ tenant: name, agent: name, issuer: name, operation: name })

  it('makes no other keys than are made for a caller that is seen for the first time', () => {
    fc.assert(
      fc.property(fc.array(names, { maxLength: 12 }), (sequence) => {
        const demand = compileDemand({ limits: config, agentBreaker, shares: 1 })
        const principal = { ...routed().caller.principal, id: 'mira' }
        for (const one of sequence) {
          const call = routed(one)
          const again = { ...call, caller: { ...call.caller, principal } }
          const fresh = compileDemand({ limits: config, agentBreaker, shares: 1 })(again)
          expect(demand(again)).toEqual(fresh)
        }
      }),
    )
  })

  it('is kept no longer than the principal has the same name', () => {
    const demand = compileDemand({ limits: limits(['principal']), agentBreaker, shares: 1 })
    const call = routed()
    const principal: { -readonly [Key in keyof Caller['principal']]: Caller['principal'][Key] } = {
      ...call.caller.principal,
    }
    const as = (id: string): string | undefined => {
      principal.id = id
      return demand({ ...call, caller: { ...call.caller, principal } }).rates[0]?.key
    }
    const mira = as('mira')
    expect(as('dana')).not.toBe(mira)
    expect(as('mira')).toBe(mira)
  })

  it('is one list of counters for all calls of one operation', () => {
    const demand = compileDemand({ limits: config, agentBreaker, shares: 1 })
    const call = routed({ operation: 'a' })
    const other = { ...call, operation: { ...call.operation, id: 'b' } }
    const first = demand(call)
    expect(demand(call).rates).toBe(first.rates)
    expect(demand(other).concurrency[0]).toBe(first.concurrency[0])
  })
})
