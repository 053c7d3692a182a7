const json = (description: string) => ({ description, content: { 'application/json': {} } })
const secured = [{ bearer: [] }]

/** OpenAPI description of the admin listener, served by itself. */
export const adminDescription = {
  openapi: '3.1.0',
  info: { title: 'Toolgate admin', version: '1' },
  components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
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
    '/metrics': {
      get: {
        summary: 'Metrics in the Prometheus text format',
        security: secured,
        responses: { 200: { description: 'Metrics', content: { 'text/plain': {} } } },
      },
    },
    '/admin/v1/status': {
      get: {
        summary: 'State of policy, identity, connectors, store and audit',
        security: secured,
        responses: { 200: json('State') },
      },
    },
    '/admin/v1/config': {
      get: {
        summary: 'Effective configuration; secrets appear as references',
        security: secured,
        responses: { 200: json('Configuration') },
      },
    },
  },
} as const
