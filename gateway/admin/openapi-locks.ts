import { badBody, body, denied, inPath, json, refused, secured, withoutAnswer } from './openapi-parts.ts'

const reason = { type: 'string', minLength: 1, maxLength: 512 }

export const lockPaths = {
  '/admin/v1/locks': {
    get: {
      summary: 'Locks in force, with the epoch of the set and whether it is known',
      security: secured,
      responses: { 200: json('`state`, `epoch`, `locks`'), ...denied, ...withoutAnswer },
    },
    post: {
      summary: 'Set a lock; it takes effect on every node within a second',
      security: secured,
      requestBody: body(['scope', 'reason'], {
        scope: {
          type: 'string',
          examples: ['all', 'writes', 'agent:change-review-agent', 'connector:slack'],
        },
        reason,
        writesOnly: { type: 'boolean', default: false },
        tokensBefore: { type: 'string', description: 'Tokens issued before this time: RFC 3339, or `now`' },
        expiresInMs: { type: 'integer', minimum: 1, maximum: 31_622_400_000 },
        release: { enum: ['anyone', 'another-person'], default: 'anyone' },
      }),
      responses: {
        201: json('`lock`, and `warnings` where it does not hold everywhere or stops nothing'),
        ...badBody,
        ...denied,
        409: refused('There are too many locks'),
        ...withoutAnswer,
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
        200: json('`lock`, released'),
        ...badBody,
        ...denied,
        404: refused('No such lock'),
        ...withoutAnswer,
      },
    },
  },
} as const
