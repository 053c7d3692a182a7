import { approvalPaths, approvalSchemas } from './openapi-approvals.ts'
import { lockPaths, lockSchemas } from './openapi-locks.ts'
import { denied, json, refused, secured } from './openapi-parts.ts'

const securitySchemes = {
  operator: {
    type: 'http',
    scheme: 'bearer',
    description: "The operators' shared token (listen.admin.token)",
  },
  person: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'at+jwt',
    description:
      'Access token of a person (listen.admin.people.issuers); with the DPoP scheme and a proof, or the certificate, that its cnf names',
  },
  certificate: {
    type: 'mutualTLS',
    description: 'Client certificate of a person (listen.admin.people.certificates)',
  },
} as const

const Problem = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'title', 'status'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
  },
} as const

const channel = (summary: string) => ({
  post: {
    summary,
    description: 'The exact bytes, 64 KiB at most; the signature of the channel is what vouches for them',
    responses: {
      200: { description: 'Taken; what it wanted may still be refused, which is told there' },
      400: refused('The message cannot be read', ['channel.unreadable']),
      401: refused('The signature is not right, or not of now', [
        'channel.unsigned',
        'channel.forged',
        'channel.stale',
        'channel.future',
      ]),
      403: refused('The message is from elsewhere, or of somebody who may not answer'),
      404: refused('No such channel is set up, or no such approval'),
      409: refused('The message was taken before, or comes too late'),
      413: refused('The body is larger than 64 KiB'),
      500: refused('The gateway failed to answer; its log has why'),
      502: refused('The worker that was asked ended: look whether it was done'),
      503: refused('It cannot be known whether the message was taken before, or no worker can be asked'),
      504: refused('The worker that was asked did not answer in time: look whether it was done'),
    },
  },
})

/** OpenAPI description of the admin listener, served by itself. */
export const adminDescription = {
  openapi: '3.1.0',
  info: { title: 'Toolgate admin', version: '1' },
  components: { securitySchemes, schemas: { Problem, ...approvalSchemas, ...lockSchemas } },
  paths: {
    '/healthz': { get: { summary: 'The process is alive', responses: { 200: json('Alive') } } },
    '/health': {
      get: {
        summary: 'Health as OPA answers it; with `bundles` or `plugins`, whether calls may be sent here',
        responses: { 200: json('Healthy'), 500: json('Not ready; `error` says what is missing') },
      },
    },
    '/readyz': {
      get: {
        summary: 'Calls may be sent here',
        responses: {
          200: json('Ready; `notes` says what to know nonetheless'),
          503: json('Not ready; `reasons` says what is missing'),
        },
      },
    },
    '/.well-known/oauth-protected-resource': {
      get: {
        summary: 'Where people get tokens for this listener (RFC 9728), if they can',
        responses: {
          200: json('Metadata of this resource'),
          404: refused('No issuer of people is configured'),
        },
      },
    },
    '/metrics': {
      get: {
        summary: 'Metrics in the Prometheus text format; for operators',
        security: secured,
        responses: { 200: { description: 'Metrics', content: { 'text/plain': {} } }, ...denied },
      },
    },
    '/admin/v1/status': {
      get: {
        summary: 'State of policy, identity, connectors, store and audit; for operators',
        security: secured,
        responses: { 200: json('State'), ...denied },
      },
    },
    '/admin/v1/config': {
      get: {
        summary: 'Effective configuration, secrets as references; for operators',
        security: secured,
        responses: { 200: json('Configuration'), ...denied },
      },
    },
    '/admin/v1/openapi.json': {
      get: {
        summary: 'This description',
        security: secured,
        responses: { 200: json('OpenAPI 3.1'), ...denied },
      },
    },
    ...approvalPaths,
    ...lockPaths,
    '/channels/slack/interactions': channel('Buttons of Slack messages'),
    '/channels/slack/commands': channel('Slash commands of Slack'),
    '/channels/webhook/votes': channel('Votes that another service has signed'),
  },
} as const
