# METADATA
# description: What the gateway owes before or after a call that is allowed
package gateway.obligations

import data.gateway.facts
import data.gateway.risk

# METADATA
# title: Approval by risk
# description: A change of some risk needs one person, of high risk two; a note to people needs none
# custom:
#   id: R060
obligation contains {
	"id": "R060",
	"type": "approval",
	"properties": {
		"groups": object.keys(data.registry.approvals.groups),
		"count": people,
		"distinct": true,
		"ttl_seconds": data.registry.approvals.ttl_seconds,
		"escalation_group": data.registry.approvals.escalation_group,
		"escalate_after_seconds": data.registry.approvals.escalate_after_seconds,
	},
} if {
	facts.changes
	not facts.advisory
	people > 0
	not approved
}

# Two unless shown to be fewer.
default people := 2

people := 0 if risk.score < data.registry.approvals.one_person_from

people := 1 if {
	risk.score >= data.registry.approvals.one_person_from
	risk.score < data.registry.approvals.two_people_from
}

approved if {
	input.approval.state == "approved"
	count({approver | some approver in input.approval.approvers}) >= people
}
