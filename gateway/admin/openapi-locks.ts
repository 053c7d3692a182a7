import { RELEASE_RULES } from '../locks/lock.ts'
import { LOCK_SCOPES } from '../locks/scope.ts'
import {
  badBody,
  body,
  count,
  denied,
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

const reason = { type: 'string', minLength: 1, maxLength: 512 }
const lock = { $ref: '#/components/schemas/Lock' }
const actor = { $ref: '#/components/schemas/Actor' }
const unavailable = withoutAnswer('lock.unavailable')
const scope = {
  type: 'string',
  maxLength: 1_600,
  description: Object.values(LOCK_SCOPES)
    .map(({ form, meaning }) => `\`${form}\`: ${meaning}`)
    .join('; '),
  examples: ['all', 'writes', 'agent:change-review-agent', 'connector:slack'],
}
const release = {
  enum: RELEASE_RULES,
  description: 'Who may end it before its time: whoever may act at all, or only a second person',
}

export const lockSchemas = {
  Actor: {
    description:
      'Who did something: a person, whoever holds the token of operators, or a part of the gateway',
    ...object(
      {
        kind: { enum: ['person', 'operator', 'gateway'] },
        id: { ...text, description: 'Of a person, as their issuer names them' },
        issuer: { ...text, description: 'Who vouches for the person' },
        channel: { enum: ['admin', 'slack', 'webhook'] },
        authentication: { ...text, description: 'How the person authenticated: `acr`, `amr` or `mtls`' },
        part: { ...text, description: 'Of the gateway' },
      },
      ['id', 'issuer', 'channel', 'authentication', 'part'],
    ),
  },
  Lock: {
    description: 'A kill switch in force',
    ...object(
      {
        id: uuid,
        scope,
        writesOnly: { ...flag, description: 'Stops only what changes something' },
        tokensBefore: { ...time, description: 'Stops only tokens issued before' },
        reason,
        author: actor,
        setAt: time,
        expiresAt: { ...time, description: 'Ends by itself then; without it, when it is released' },
        release,
        releaseRequests: listOf(object({ by: actor, reason, at: time })),
      },
      ['tokensBefore', 'expiresAt'],
    ),
  },
} as const

const locksInForce = object({
  state: {
    enum: ['unknown', 'fresh', 'stale'],
    description: 'Whether these are all: `fresh`, or there may be others that the gateway has not heard of',
  },
  epoch: { ...count, description: 'Rises with each change' },
  locks: listOf(lock),
})

const lockSet = object({
  lock,
  shared: { ...flag, description: 'Every gateway that shares the store has it or gets it within a second' },
  witnessed: { ...flag, description: 'As many replicas of the store have it as are to' },
  onRecord: flag,
  warnings: listOf({ ...text, description: 'Where it does not hold, or why it may stop nothing' }),
})

export const lockPaths = {
  '/admin/v1/locks': {
    get: {
      summary: 'Locks in force, the newest first',
      security: secured,
      responses: { 200: json('Those that this gateway knows', locksInForce), ...denied, ...unavailable },
    },
    post: {
      summary: 'Set a lock; it takes effect on every node within a second',
      security: secured,
      requestBody: body(['scope', 'reason'], {
        scope,
        reason,
        writesOnly: { type: 'boolean', default: false },
        tokensBefore: { type: 'string', description: 'Tokens issued before this time: RFC 3339, or `now`' },
        expiresInMs: { type: 'integer', minimum: 1, maximum: 31_622_400_000 },
        release: { ...release, default: 'anyone' },
      }),
      responses: {
        201: {
          ...json('In force, at least in the process that was asked', lockSet),
          headers: { Location: { schema: text, description: 'Where to release it' } },
        },
        ...badBody(['lock.invalid', 'lock.scope_unknown']),
        ...denied,
        409: refused('There are too many locks', ['lock.too_many']),
        ...unavailable,
      },
    },
  },
  '/admin/v1/locks/{id}': {
    parameters: [inPath('id')],
    delete: {
      summary: 'Release a lock, or ask for it where another person has to',
      security: secured,
      requestBody: body([], { reason }, false),
      responses: {
        200: json('Released, on every node within a second', object({ released: { const: true }, lock })),
        ...badBody(['lock.invalid']),
        ...denied,
        403: refused(
          'Not theirs to ask; or the lock takes another person (`lock.another_person`, and `lock` has the request)',
        ),
        404: refused('No such lock', ['lock.not_found']),
        ...unavailable,
      },
    },
  },
} as const
