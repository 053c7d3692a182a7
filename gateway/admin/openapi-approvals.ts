import { APPROVAL_STATES } from '../approvals/approval.ts'
import {
  badBody,
  body,
  count,
  denied,
  digest,
  flag,
  inPath,
  json,
  listOf,
  object,
  refused,
  secured,
  text,
  time,
  uuid,
  withoutAnswer,
} from './openapi-parts.ts'

const comment = { type: 'string', maxLength: 1_024 }
const verdict = { enum: ['approve', 'deny'] }
const unknown = { 404: refused('No such approval', ['approval.unknown']) } as const
const unavailable = withoutAnswer('approval.unavailable')
const onlyStates = refused('Something else than `state` and `limit` is asked for', ['approval.invalid'])

const inShort = {
  id: uuid,
  kind: { enum: ['approval', 'review'], description: 'Asked before the call is made, or after it was' },
  state: { enum: APPROVAL_STATES },
  tenant: text,
  principal: { ...text, description: 'For whom the call is made' },
  connector: text,
  operation: text,
  task: text,
  risk: { type: 'number', minimum: 0, maximum: 10 },
  approvals: object({ given: count, needed: count }),
  groups: listOf(text),
  escalationGroup: {
    ...text,
    description: 'Asked as well once it is `escalated`; empty where there is none',
  },
  escalated: flag,
  created: time,
  ends: { ...time, description: 'While it is open: when it ends unanswered or unused' },
  resolved: { ...time, description: 'When it became what it is' },
}
const agent = object({
  id: text,
  issuer: text,
  key: { ...text, description: 'Thumbprint of the key, or of the certificate, that it proved to have' },
})
const vote = object({
  person: object({ id: text, issuer: text, channel: { enum: ['admin', 'slack', 'webhook'] } }),
  verdict,
  viewDigest: digest,
  comment,
  at: time,
})
const inFull = {
  ...inShort,
  agent,
  call: { ...uuid, description: 'The call that was held first' },
  reasons: listOf(object({ code: text, rule: text, detail: text })),
  policy: object({ digest: text, revision: text }),
  view: { ...text, description: 'The call, laid out from the bytes that will be sent' },
  viewDigest: { ...digest, description: 'SHA-256 of `view`; a vote names it' },
  escalates: time,
  excluded: listOf({ ...text, description: 'Who may not answer: the call is theirs, or made in their name' }),
  excludedGroups: listOf(text),
  votes: listOf(vote),
  consumedBy: { ...uuid, description: 'The call that used it' },
  revokedBy: text,
  revocationReason: text,
  you: { enum: ['entitled', 'not_entitled', 'excluded'], description: 'Whether who asks may answer it' },
}

export const approvalSchemas = {
  ApprovalSummary: object({ ...inShort, agent: text }, ['ends', 'resolved']),
  Approval: object(inFull, ['ends', 'resolved', 'consumedBy', 'revokedBy', 'revocationReason']),
} as const

const one = object({ approval: { $ref: '#/components/schemas/Approval' } })

export const approvalPaths = {
  '/admin/v1/approvals': {
    get: {
      summary: 'Approvals, the newest first: those that wait, unless other states are asked for',
      security: secured,
      parameters: [
        {
          name: 'state',
          in: 'query',
          explode: true,
          schema: { type: 'array', items: { enum: APPROVAL_STATES } },
        },
        { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
      ],
      responses: {
        200: json(
          'Without what they are about',
          object({ approvals: listOf({ $ref: '#/components/schemas/ApprovalSummary' }) }),
        ),
        400: onlyStates,
        ...denied,
        ...unavailable,
      },
    },
  },
  '/admin/v1/approvals/{id}': {
    parameters: [inPath('id')],
    get: {
      summary: 'One approval: the call as it will be sent (`view`), who may answer, who answered',
      security: secured,
      responses: { 200: json('As it is now', one), ...denied, ...unknown, ...unavailable },
    },
    delete: {
      summary: 'Take one back while no call has used it',
      security: secured,
      requestBody: body([], { reason: comment }, false),
      responses: {
        200: json('Taken back, now or before', one),
        ...badBody(['approval.invalid']),
        ...denied,
        ...unknown,
        409: refused('It is over already; `state` says how', ['approval.final']),
        ...unavailable,
      },
    },
  },
  '/admin/v1/approvals/{id}/votes': {
    parameters: [inPath('id')],
    post: {
      summary: 'Answer one, as a person: only people in its groups can, and not to their own call',
      security: secured,
      requestBody: body(['verdict', 'viewDigest'], {
        verdict,
        viewDigest: { ...digest, description: 'Of the `view` that was shown' },
        comment,
      }),
      responses: {
        200: json('The answer is counted, now or before', one),
        ...badBody(['approval.invalid']),
        ...denied,
        403: refused(
          'Not theirs to ask; or not theirs to answer (`approval.not_entitled`, `approval.excluded`), which is on record',
        ),
        ...unknown,
        409: refused('It is over already, or is not what was shown: `viewDigest` says what is', [
          'approval.final',
          'approval.stale_view',
        ]),
        ...unavailable,
      },
    },
  },
} as const
