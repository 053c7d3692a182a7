import { terraformBlocks } from './check.ts'
import type { Change, Check } from './check.ts'
import { setting } from './diff.ts'

const ALL = /(^|\[|,)\s*"\*"\s*(,|\]|$)/

/** A statement that allows every action, or allows something on every resource. Denying everything is fine. */
export const iamWildcard: Check = (change: Change) =>
  terraformBlocks(change).flatMap(({ file, block }) => {
    const effect = setting(block, /^effect$/i)?.value ?? '"Allow"'
    if (!/allow/i.test(effect)) return []
    return [setting(block, /^actions?$/i), setting(block, /^resources?$/i)]
      .filter((found) => found !== undefined && found.line.added && ALL.test(found.value))
      .flatMap((found) => (found === undefined ? [] : [found.line]))
      .map((line) => ({
        check: 'iam-wildcard',
        standard: 'SEC-STD-02',
        severity: 'high' as const,
        file: file.path,
        line: line.number,
        evidence: line.text.trim(),
        advice: 'Name the actions and the resources that the role needs.',
      }))
  })
