import { badBody, body, denied, inPath, json, refused, secured, withoutAnswer } from './openapi-parts.ts'

const STATES = ['pending', 'approved', 'denied', 'expired', 'revoked', 'consumed']
const comment = { type: 'string', maxLength: 1_024 }
const unknown = { 404: refused('No such approval') } as const

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
          schema: { type: 'array', items: { enum: STATES } },
        },
        { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
      ],
      responses: { 200: json('`approvals`'), ...denied, ...withoutAnswer },
    },
  },
  '/admin/v1/approvals/{id}': {
    parameters: [inPath('id')],
    get: {
      summary: 'One approval: the call as it will be sent (`view`), who may answer, who answered',
      security: secured,
      responses: { 200: json('`approval`'), ...denied, ...unknown, ...withoutAnswer },
    },
    delete: {
      summary: 'Take one back while no call has used it',
      security: secured,
      requestBody: body([], { reason: comment }, false),
      responses: {
        200: json('`approval`'),
        ...badBody,
        ...denied,
        ...unknown,
        409: refused('It is over already'),
        ...withoutAnswer,
      },
    },
  },
  '/admin/v1/approvals/{id}/votes': {
    parameters: [inPath('id')],
    post: {
      summary: 'Answer one, as a person: only people in its groups can, and not to their own call',
      security: secured,
      requestBody: body(['verdict', 'viewDigest'], {
        verdict: { enum: ['approve', 'deny'] },
        viewDigest: {
          type: 'string',
          pattern: '^[0-9a-f]{64}$',
          description: 'Hex SHA-256 of the `view` that was shown',
        },
        comment,
      }),
      responses: {
        200: json('`approval`, with the answer counted'),
        ...badBody,
        ...denied,
        ...unknown,
        409: refused('It is over already, or is not what was shown'),
        ...withoutAnswer,
      },
    },
  },
} as const
