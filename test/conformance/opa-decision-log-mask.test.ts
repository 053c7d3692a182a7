import {
  array,
  constant,
  constantFrom,
  dictionary,
  integer,
  jsonValue,
  letrec,
  oneof,
  record,
  sample,
  tuple,
} from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileBundle } from '../../gateway/policy/authoring/compile.ts'
import { prepareEvent } from '../../gateway/policy/decision-log/log-rules.ts'
import { applyMask, parseMask } from '../../gateway/policy/decision-log/mask.ts'
import { startOpaCollector } from '../harness/opa-collector.ts'
import { FRIEND_RULES, type RunningPolicy, startPolicy } from '../harness/opa.ts'
import { startOpaServer } from '../harness/opa-server.ts'
import { anEvent } from '../unit/policy/decision-log/an-event.ts'

interface MaskCase {
  readonly name: string
  readonly input: unknown
  readonly result: unknown
  readonly rules: readonly unknown[]
}

/** A mask that does what the query asks for. */
const LOG_RULES = `package system.log

# METADATA
# scope: document
# entrypoint: true
mask contains rule if some rule in input.input.rules
`
const ECHO = `package echo

result := input.result
`

const INPUT = {
  text: 'secret',
  none: null,
  list: [1, [2, 3], { a: 1 }],
  deep: { a: { b: { c: 1 } } },
  'a b': 1,
  'a%20b': 2,
  'x/y': 3,
  'x~1y': 4,
  'p+q$&:=@': 5,
  "!'()*": 6,
  ünï: 7,
  '': { '': 8 },
}
const RESULT = { allow: true, reasons: [{ detail: 'x' }] }

const upsert = (path: string, value: unknown) => ({ op: 'upsert', path, value })

/** Each kind of pointer and rule, those that are no rules at all included. */
const RULES: Readonly<Record<string, readonly unknown[]>> = {
  'removes a member': ['/input/text'],
  'removes a member that is null': ['/input/none'],
  'removes what is deep inside': ['/input/deep/a/b/c'],
  'removes an element': ['/input/list/0'],
  'removes an element of an element': ['/input/list/1/0'],
  'removes a member of an element': ['/input/list/2/a'],
  'removes the last element twice': ['/input/list/2', '/input/list/1'],
  'removes elements from the first on': ['/input/list/0', '/input/list/1', '/input/list/2'],
  'removes all input': ['/input'],
  'removes all input and then a part of it': ['/input', '/input/text'],
  'removes the result': ['/result'],
  'removes a part of the result': ['/result/reasons/0/detail'],
  'removes what is not there': ['/input/nothing', '/input/deep/x/y', '/input/list/9', '/input/text/x'],
  'removes by an index with a sign or zeros': ['/input/list/+1', '/input/list/00'],
  'removes by an index that is none': ['/input/list/-1', '/input/list/x', '/input/list/1e0', '/input/list/-'],
  'removes from a cache that is not there': ['/nd_builtin_cache/x'],
  'cannot name a member with a space': ['/input/a b'],
  'finds a member by its escaped name': ['/input/a%20b'],
  'knows no escapes of RFC 6901': ['/input/x~1y'],
  'splits at every slash': ['/input/x/y'],
  'takes some signs as they are': ['/input/p+q$&:=@'],
  'escapes other signs': ["/input/!'()*", '/input/ünï'],
  'reaches names that are empty': ['/input//'],
  'ends with a slash': ['/input/'],
  'sets a member': [upsert('/input/text', '***')],
  'sets a member that is not there': [upsert('/input/new', { a: 1 })],
  'makes objects on the way': [upsert('/input/new/a/b', 1)],
  'sets an element': [upsert('/input/list/0', 'x')],
  'sets no element beyond the last': [upsert('/input/list/3', 'x')],
  'sets a member of an element': [upsert('/input/list/2/b', 'x')],
  'sets nothing inside a text': [upsert('/input/text/x', 1)],
  'sets nothing inside null': [upsert('/input/none/x', 1)],
  'sets nothing inside an element that is not there': [upsert('/input/list/7/x', 1)],
  'sets all input': [upsert('/input', 'gone')],
  'sets all input to null': [upsert('/input', null)],
  'sets all input and then a part of it': [upsert('/input', {}), upsert('/input/x', 1)],
  'sets what was removed': ['/input/deep', upsert('/input/deep/z', 1)],
  'sets null where there is no value': [{ op: 'upsert', path: '/input/text' }],
  'sets a part of the result': [upsert('/result/allow', false)],
  'sets nothing in a result that was removed': ['/result', upsert('/result/allow', false)],
  'sets a member by its escaped name': [upsert('/input/a b', 1)],
  'sets a member named __proto__': [
    upsert('/input/__proto__', { x: 1 }),
    upsert('/input/deep/__proto__/y', 1),
  ],
  'removes by an object': [{ op: 'remove', path: '/input/text', value: 1 }],
  'applies texts before objects': [{ op: 'remove', path: '/input/list/0' }, '/input/list/1'],
  'applies texts by their bytes': ['/input/list/2', '/input/list/10', '/input/list/0'],
  'gives one rule once': ['/input/text', '/input/text'],
  'gives nothing': [],
  'is for another part of the event': ['/labels/id'],
  'is for all of the event': ['/'],
  'is not for a pointer': ['input/text'],
  'is for nothing': [''],
  'has an escape that is none': ['/input/%zz', '/input/text'],
  'has another op': [{ op: 'replace', path: '/input/text' }],
  'has no op': [{ path: '/input/text' }],
  'has an op that is no text': [{ op: 1, path: '/input/text' }],
  'has no path': [{ op: 'remove' }],
  'has a path that is no text': [{ op: 'remove', path: 1 }],
  'is a number': [1],
  'is null': [null],
  'is a list': [['/input/text']],
}

const key = constantFrom('a', 'b', '0', '1', '10', '+1', 'ü', 'a b', '%20')
const json = jsonValue({ maxDepth: 3 })
const path = tuple(constantFrom('input', 'result'), array(key, { maxLength: 4 })).map(
  ([section, steps]) => `/${[section, ...steps].join('/')}`,
)
const rule = oneof(
  path,
  record({ op: constant('remove'), path }),
  record({ op: constant('upsert'), path, value: json }),
)
const { tree } = letrec((tie) => ({
  tree: oneof(
    { maxDepth: 4 },
    oneof(integer({ min: 0, max: 9 }), constant(null), constantFrom('x', 'ü')),
    array(tie('tree'), { maxLength: 4 }),
    dictionary(key, tie('tree'), { maxKeys: 4 }),
  ),
}))
const random = record({
  name: constant(''),
  input: dictionary(key, tree, { maxKeys: 4 }),
  result: tree,
  rules: array(rule, { maxLength: 6 }),
})

const CASES: readonly MaskCase[] = [
  ...Object.entries(RULES).map(([name, rules]) => ({ name, input: INPUT, result: RESULT, rules })),
  ...sample(random, { numRuns: 300, seed: 20261125 }).map((one, index) => ({
    ...one,
    name: `random ${index}`,
  })),
]

/** The decision log's events of the real OPA, by the number of their case. */
let problems: readonly string[] = []
const eventsOfOpa = new Map<number, Readonly<Record<string, unknown>>>()

beforeAll(async () => {
  await using collector = await startOpaCollector()
  await using opa = await startOpaServer(
    {
      services: { collector: { url: collector.url } },
      decision_logs: { service: 'collector', reporting: { min_delay_seconds: 60, max_delay_seconds: 60 } },
    },
    { 'log.rego': LOG_RULES, 'echo.rego': ECHO },
  )
  const numbers = new Map<unknown, number>()
  for (const [number, one] of CASES.entries()) {
    const answer = (await opa.decide('echo/result', withRules(one))) as { decision_id: string }
    numbers.set(answer.decision_id, number)
  }
  await opa.stop()
  problems = collector.problems
  for (const event of collector.events) {
    const number = numbers.get(event['decision_id'])
    if (number !== undefined) eventsOfOpa.set(number, event)
  }
})

/** The same mask as a module, the way that the gateway evaluates it. */
let policy: RunningPolicy
beforeAll(async () => {
  const sources = new Map([
    ['gateway/decision.rego', `package gateway.decision\n${FRIEND_RULES}`],
    ['system/log/mask.rego', LOG_RULES],
  ])
  policy = await startPolicy(await compileBundle({ sources, roots: ['gateway', 'system'] }))
})
afterAll(() => policy[Symbol.asyncDispose]())

/** The rules are input as well, because OPA's mask gets them from there. */
function withRules({ input, result, rules }: MaskCase): unknown {
  return { ...(input as object), result, rules }
}

describe('a mask', () => {
  it('is compared with events that the real OPA has masked', () => {
    expect(problems).toEqual([])
    expect(eventsOfOpa.size).toBeGreaterThan(CASES.length / 2)
  })

  it.each(CASES.map((one, number) => [one.name, number] as const))(
    'that %s gives the event of OPA',
    async (_, number) => {
      const one = CASES[number] as MaskCase
      const event = anEvent({ input: withRules(one), result: one.result })
      const before = JSON.stringify(event)
      const ours = maskedBy(one.rules, event)
      const theirs = eventsOfOpa.get(number)
      expect(ours).toEqual(theirs && partsOf(theirs))
      const prepared = await prepareEvent(event, policy.policy)
      const failed = prepared.kind === 'kept' && prepared.failures.length > 0
      expect(failed ? undefined : partsOf({ ...(prepared as { event: object }).event })).toEqual(ours)
      expect(JSON.stringify(event)).toBe(before)
    },
  )
})

/** `undefined` when the mask is no mask: OPA logs nothing then. */
function maskedBy(rules: readonly unknown[], event: ReturnType<typeof anEvent>): unknown {
  try {
    // What the module gives is a set in the order of its hashes.
    return partsOf({ ...applyMask(event, parseMask(asSet(rules).reverse())) })
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

function asSet(rules: readonly unknown[]): unknown[] {
  return [...new Map(rules.map((one) => [JSON.stringify(one), one])).values()]
}

function partsOf({ input, result, erased, masked }: Readonly<Record<string, unknown>>): unknown {
  return JSON.parse(JSON.stringify({ input, result, erased, masked }))
}
