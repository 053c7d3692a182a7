/**
 * Everything is allowed to everybody who is somebody, but a write needs as many people as the last character of its task
 * says, one where it says nothing, and none where it says 0.
 */
export const APPROVAL_RULES = `
asked := to_number(last) if {
  last := substring(input.declared.task, count(input.declared.task) - 1, 1)
  last in {"0", "1", "2", "3"}
}
default people := 1
people := asked
enough if count({who | some who in input.approval.approvers}) >= people
enough if input.operation.access == "read"

approval := {"id": "R060", "type": "approval", "properties": {
  "groups": ["change-approvers"], "count": people, "distinct": true, "ttl_seconds": 600,
  "escalation_group": "on-call", "escalate_after_seconds": 300, "excluded": ["owner@zyx.example"],
}}
owed contains approval if not enough

reason := {"code": "write.not_allowed", "rule": "R030", "detail": ""}
denied contains reason if input.agent.id == ""
denied contains reason if { input.declared.task == "only-unasked"; input.approval.state == "approved" }

decision := {"allow": count(denied) == 0, "risk": 4, "reasons": denied, "obligations": owed}
`
