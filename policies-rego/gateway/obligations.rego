# METADATA
# description: >-
#   What the gateway owes before or after a call that is allowed. What is owed is data, by operation, by class of data
#   and by risk; each kind of obligation is given once, for everything that asks for it.
package gateway.obligations

import data.gateway.facts
import data.gateway.risk

owed contains by_operation

owed contains by_data_class

owed contains step if {
	some step in data.registry.obligations.risk
	not below(step)
}

below(step) if risk.score < step.at_least

by_operation := data.registry.obligations.operations[input.operation.id]

by_data_class := data.registry.obligations.data_classes[input.operation.data_class][facts.kind]

# METADATA
# title: Approval
# description: >-
#   A change of some risk needs one person, of high risk two, and so does the first change of its kind by an agent; a
#   note to people needs none of these. What the registry asks people for by operation, class or risk always needs them
# custom:
#   id: R060
obligation contains {
	"id": "R060",
	"type": "approval",
	"properties": {
		"groups": object.keys(approvers),
		"count": people,
		"distinct": true,
		"ttl_seconds": data.registry.approvals.ttl_seconds,
		"escalation_group": data.registry.approvals.escalation_group,
		"escalate_after_seconds": data.registry.approvals.escalate_after_seconds,
		"excluded": {owner | owner := facts.agent.owner},
	},
} if {
	people > 0
	not approved
}

# METADATA
# title: Redaction
# description: What the registry keeps from agents is taken out of the response
# custom:
#   id: R061
obligation contains {
	"id": "R061",
	"type": "redact",
	"properties": {"pointers": pointers},
} if {
	pointers := {pointer | some record in owed; some pointer, true in record.redact.pointers}
	count(pointers) > 0
}

# METADATA
# title: Review afterwards
# description: The call goes through, and people look at it afterwards
# custom:
#   id: R062
obligation contains {
	"id": "R062",
	"type": "post_review",
	"properties": {
		"groups": groups,
		"ttl_seconds": min({record.post_review.ttl_seconds | some record in owed}),
		"excluded": {owner | owner := facts.agent.owner},
	},
} if {
	groups := {group | some record in owed; some group, true in record.post_review.groups}
	count(groups) > 0
}

# METADATA
# title: Notice
# description: Somebody is told of the call
# custom:
#   id: R063
obligation contains {
	"id": "R063",
	"type": "notify",
	"properties": {"groups": groups},
} if {
	groups := {group | some record in owed; some group, true in record.notify.groups}
	count(groups) > 0
}

people := max(asked | {by_risk, by_first_use, by_phase})

asked contains record.approval.people if some record in owed

# Two unless shown to be fewer.
default by_risk := 2

by_risk := 0 if is_free

by_risk := 0 if {
	not is_free
	risk.score < data.registry.approvals.one_person_from
}

by_risk := 1 if {
	not is_free
	risk.score >= data.registry.approvals.one_person_from
	risk.score < data.registry.approvals.two_people_from
}

default by_first_use := 2

by_first_use := 0 if is_free

by_first_use := 0 if {
	not is_free
	input.signals.first_use == false
}

by_first_use := data.registry.approvals.first_use if {
	not is_free
	not input.signals.first_use == false
}

default by_phase := 2

by_phase := 0 if is_free

by_phase := 0 if {
	not is_free
	uncommitted
}

by_phase := data.registry.approvals.commit if {
	not is_free
	not uncommitted
}

uncommitted if input.operation.phase == ""

uncommitted if input.operation.phase == "prepare"

# Reads and notes to people are looked at by nobody, unless the registry asks for it by name.
default is_free := false

is_free if not facts.changes

is_free if facts.advisory

# Nobody sees a draft before it is put in force, and that is when people are asked.
is_free if {
	input.operation.phase == "prepare"
	risk.score < data.registry.approvals.two_people_from
}

# The nearest that names groups: those who know the operation, then the data, then changes in general.
approvers := by_operation.approval.groups

approvers := by_data_class.approval.groups if not by_operation.approval.groups

approvers := data.registry.approvals.groups if {
	not by_operation.approval.groups
	not by_data_class.approval.groups
}

approved if {
	input.approval.state == "approved"
	count({approver | some approver in input.approval.approvers}) >= people
}
