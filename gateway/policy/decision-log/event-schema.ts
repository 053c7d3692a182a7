import { INPUT_V1 } from '../input.ts'

const text = { type: 'string' }
const texts = { type: 'array', items: text }
const fields = (properties: Readonly<Record<string, unknown>>) => ({
  type: 'object',
  additionalProperties: false,
  properties,
})
const reasons = { type: 'array', items: fields({ code: text, rule: text, detail: text }) }

/** JSON Schema of the events that the rules of `system.log` read, so that `opa check` finds what no event has. */
export const EVENT_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'an event of the decision log; written by toolgate policy build',
  ...fields({
    labels: { type: 'object', additionalProperties: text },
    decision_id: text,
    trace_id: text,
    span_id: text,
    bundles: { type: 'object', additionalProperties: fields({ revision: text }) },
    path: text,
    input: INPUT_V1.schema,
    result: fields({
      allow: { type: 'boolean' },
      risk: { type: 'number' },
      reasons,
      reported: reasons,
      obligations: {
        type: 'array',
        items: fields({ id: text, type: text, properties: { type: 'object', additionalProperties: true } }),
      },
    }),
    erased: texts,
    masked: texts,
    error: fields({ code: text, message: text }),
    requested_by: text,
    timestamp: text,
    metrics: { type: 'object', additionalProperties: { type: 'integer' } },
    req_id: { type: 'integer' },
    rule_labels: { type: 'array', items: fields({ id: text, code: text }) },
    request_context: fields({
      http: fields({ headers: { type: 'object', additionalProperties: texts } }),
    }),
    custom: fields({ toolgate: fields({ effect: text, code: text, policy_digest: text }) }),
  }),
}
