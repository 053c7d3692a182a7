import { isDeepStrictEqual } from 'node:util'
import { type Expected, outcomeOf, readCases } from './cases.ts'
import type { OpenedPolicy } from './evaluator-of.ts'

/** One member of a decision that is not what the case says. */
export interface Difference {
  readonly member: 'effect' | 'reasons' | 'reported' | 'people' | 'owes' | 'risk' | 'refusal'
  readonly expected: unknown
  readonly got: unknown
}

export interface CaseFailure {
  readonly id: string
  readonly title: string
  readonly differences: readonly Difference[]
}

/** Decides every case as a gateway would. @throws Error when the tables cannot be read */
export async function testCases(
  directory: string,
  policy: Pick<OpenedPolicy, 'decide'>,
): Promise<{ readonly count: number; readonly failures: readonly CaseFailure[] }> {
  const cases = await readCases(directory)
  const failures = cases.flatMap(({ id, title, input, expected }) => {
    const verdict = policy.decide(input)
    const differences = verdict.ok
      ? differencesOf(expected, outcomeOf(verdict.value))
      : [{ member: 'refusal' as const, expected: 'a decision', got: describe(verdict.refusal) }]
    return differences.length === 0 ? [] : [{ id, title, differences }]
  })
  return { count: cases.length, failures }
}

function differencesOf(expected: Expected, got: ReturnType<typeof outcomeOf>): readonly Difference[] {
  const wanted = { ...expected, risk: expected.risk ?? got.risk }
  return (['effect', 'reasons', 'reported', 'people', 'owes', 'risk'] as const).flatMap((member) =>
    isDeepStrictEqual(wanted[member], got[member])
      ? []
      : [{ member, expected: wanted[member], got: got[member] }],
  )
}

function describe({ code, detail }: { readonly code: string; readonly detail?: string | undefined }): string {
  return detail === undefined || detail === '' ? code : `${code}: ${detail}`
}
