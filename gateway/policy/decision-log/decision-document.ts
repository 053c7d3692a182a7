import { assertNever } from '../../lib/assert-never.ts'
import type { Decision, Obligation } from '../decision.ts'

/** The decision as rules write it, so that whoever evaluates the input again gets the same document. */
export function decisionDocument({ allow, risk, reasons, reported, obligations }: Decision): unknown {
  return { allow, risk, reasons, reported, obligations: obligations.map(obligationDocument) }
}

function obligationDocument(obligation: Obligation): unknown {
  const { id, type } = obligation
  return { id, type, properties: propertiesOf(obligation) }
}

function propertiesOf(obligation: Obligation): unknown {
  switch (obligation.type) {
    case 'approval': {
      const { ttlSeconds, escalationGroup, escalateAfterSeconds, ...same } = obligation.properties
      return {
        ...same,
        ttl_seconds: ttlSeconds,
        escalation_group: escalationGroup,
        escalate_after_seconds: escalateAfterSeconds,
      }
    }
    case 'cap_bytes':
      return { max_bytes: obligation.properties.maxBytes }
    case 'post_review':
      return {
        groups: obligation.properties.groups,
        ttl_seconds: obligation.properties.ttlSeconds,
        excluded: obligation.properties.excluded,
      }
    case 'limit':
    case 'notify':
    case 'redact':
      return obligation.properties
    default:
      return assertNever(obligation)
  }
}
