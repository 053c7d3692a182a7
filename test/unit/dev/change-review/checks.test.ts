import { describe, expect, it } from 'vitest'
import type { Check } from '../../../../deploy/examples/change-review/checks/check.ts'
import { readPatch } from '../../../../deploy/examples/change-review/checks/diff.ts'
import { iamWildcard } from '../../../../deploy/examples/change-review/checks/iam-wildcard.ts'
import { logRetention } from '../../../../deploy/examples/change-review/checks/log-retention.ts'
import { openAdminPort } from '../../../../deploy/examples/change-review/checks/open-admin-port.ts'
import { rollbackPlan } from '../../../../deploy/examples/change-review/checks/rollback-plan.ts'
import { s3PublicAccess } from '../../../../deploy/examples/change-review/checks/s3-public-access.ts'

/** Runs one check on one Terraform file; the hunk begins at line 10. */
function found(check: Check, ...rows: string[]): string[] {
  const files = [readPatch('main.tf', ['@@ -10,9 +10,9 @@', ...rows].join('\n'))]
  return check({ files, ticket: '', pullRequest: '' }).map(
    ({ file, line, evidence }) => `${file}:${line} ${evidence}`,
  )
}

describe('the S3 public access check', () => {
  it('finds a setting that is switched off, with its line', () => {
    expect(
      found(
        s3PublicAccess,
        ' resource "x" "y" {',
        '-  block_public_acls = true',
        '+  block_public_acls = false',
        ' }',
      ),
    ).toEqual(['main.tf:11 block_public_acls = false'])
  })
  it('finds a public access block that is taken away', () => {
    expect(
      found(s3PublicAccess, '-resource "aws_s3_bucket_public_access_block" "logs" {', '-}'),
    ).toHaveLength(1)
  })
  it.each([
    ['a setting that is switched on', ['+  block_public_acls = true']],
    ['a setting that was off before', ['   block_public_acls = false', '+  bucket = "b"']],
    [
      'a block that is only renamed',
      [
        '-resource "aws_s3_bucket_public_access_block" "a" {',
        '+resource "aws_s3_bucket_public_access_block" "b" {',
      ],
    ],
  ])('leaves %s alone', (_, rows) => expect(found(s3PublicAccess, ...rows)).toEqual([]))
})

describe('the IAM wildcard check', () => {
  it('finds every action and every resource', () => {
    expect(
      found(iamWildcard, '+  statement {', '+    actions   = ["*"]', '+    resources = ["*"]', '+  }'),
    ).toEqual(['main.tf:11 actions   = ["*"]', 'main.tf:12 resources = ["*"]'])
  })
  it('finds a wildcard among other actions, and one in a JSON policy', () => {
    expect(found(iamWildcard, '+  statement {', '+    actions = ["s3:GetObject", "*"]', '+  }')).toHaveLength(
      1,
    )
    expect(found(iamWildcard, '+  {', '+    "Effect": "Allow",', '+    "Action": "*",', '+  }')).toHaveLength(
      1,
    )
  })
  it.each([
    ['a statement that denies', ['+  statement {', '+    effect = "Deny"', '+    actions = ["*"]', '+  }']],
    ['a named service', ['+  statement {', '+    actions = ["s3:*"]', '+  }']],
    [
      'a wildcard that was there before',
      ['   statement {', '     actions = ["*"]', '+    sid = "x"', '   }'],
    ],
  ])('leaves %s alone', (_, rows) => expect(found(iamWildcard, ...rows)).toEqual([]))
})

describe('the open admin port check', () => {
  const ingress = (from: number, to: number, source: string): string[] => [
    '   ingress {',
    `     from_port   = ${from}`,
    `     to_port     = ${to}`,
    '-    cidr_blocks = ["10.0.0.0/8"]',
    `+    cidr_blocks = [${source}]`,
    '   }',
  ]
  it.each([
    ['SSH', 22, 22, '"0.0.0.0/0"'],
    ['RDP among other sources', 3389, 3389, '"10.0.0.0/8", "0.0.0.0/0"'],
    ['a range that covers SSH', 0, 1024, '"0.0.0.0/0"'],
    ['SSH by IPv6', 22, 22, '"::/0"'],
  ])('finds %s', (_, from, to, source) =>
    expect(found(openAdminPort, ...ingress(from, to, source))).toHaveLength(1),
  )
  it('finds a port that is moved under a source that was open', () => {
    expect(
      found(
        openAdminPort,
        '   ingress {',
        '-    from_port = 443',
        '+    from_port = 22',
        '+    to_port = 22',
        '     cidr_blocks = ["0.0.0.0/0"]',
        '   }',
      ),
    ).toHaveLength(1)
  })
  it.each([
    ['443', 443, 443, '"0.0.0.0/0"'],
    ['SSH from inside', 22, 22, '"10.0.0.0/8"'],
    ['SSH from one address', 22, 22, '"203.0.113.7/32"'],
  ])('leaves %s alone', (_, from, to, source) =>
    expect(found(openAdminPort, ...ingress(from, to, source))).toEqual([]),
  )
  it('does not mix two rules of one group', () => {
    const rows = [
      '+  ingress {',
      '+    from_port = 22',
      '+    cidr_blocks = ["10.0.0.0/8"]',
      '+  }',
      '+  ingress {',
      '+    from_port = 443',
      '+    cidr_blocks = ["0.0.0.0/0"]',
      '+  }',
    ]
    expect(found(openAdminPort, ...rows)).toEqual([])
  })
})

describe('the log retention check', () => {
  it.each([
    ['lowered', ['-  retention_in_days = 365', '+  retention_in_days = 7'], 'main.tf:10 365 days become 7'],
    [
      'lowered from for ever',
      ['-  retention_in_days = 0', '+  retention_in_days = 90'],
      'main.tf:10 Infinity days become 90',
    ],
    ['short from the start', ['+  retention_in_days = 30'], 'main.tf:10 30 days'],
  ])('finds a retention that is %s', (_, rows, finding) =>
    expect(found(logRetention, ...rows)).toEqual([finding]),
  )
  it.each([
    ['raised', ['-  retention_in_days = 7', '+  retention_in_days = 30']],
    ['lowered to what the standard asks', ['-  retention_in_days = 731', '+  retention_in_days = 365']],
    ['for ever', ['-  retention_in_days = 365', '+  retention_in_days = 0']],
  ])('leaves one that is %s alone', (_, rows) => expect(found(logRetention, ...rows)).toEqual([]))
})

describe('the rollback plan check', () => {
  const missing = (ticket: string, pullRequest = ''): boolean =>
    rollbackPlan({ files: [], ticket, pullRequest }).length === 1
  it.each([
    ['nothing', 'What changes\nThe log archive.'],
    ['a heading alone', 'Rollback plan'],
    ['a heading over nothing', 'Rollback plan:\n\n'],
    ['a promise', 'Rollback plan: to be written'],
    ['none', 'Rollback: none'],
  ])('finds that %s is not a plan', (_, text) => expect(missing(text)).toBe(true))
  it.each([
    ['in a sentence', 'Rollback plan: revert the merge commit and apply.'],
    ['below a heading', 'Roll back\nApply the previous state.'],
    ['as back-out', 'Back-out plan: restore the snapshot'],
  ])('accepts a plan %s, in the ticket or in the pull request', (_, text) => {
    expect([missing(text), missing('', text)]).toEqual([false, false])
  })
})

describe('a patch', () => {
  it('numbers the lines of the new text over several hunks', () => {
    const { added } = readPatch(
      'a.tf',
      '@@ -1,2 +1,2 @@\n-a\n+b\n c\n@@ -40,2 +40,3 @@\n x\n+y\n\\ No newline at end of file',
    )
    expect(added.map(({ number, text }) => [number, text])).toEqual([
      [1, 'b'],
      [41, 'y'],
    ])
  })
})
