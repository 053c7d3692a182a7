# METADATA
# description: >-
#   What a call may move, at once, in a day and in a task. Limits are data, by currency, kept by tenant, role and agent;
#   each that applies has to be kept. The day is of the proven agent; the task is what the agent calls it, so a limit
#   by task stands beside the one by day and never in its place.
package gateway.money

import data.gateway.facts

amount := input.resource.amount

# An operation that moves money has to say how much; any other may say nothing.
default carries := false

carries if {
	facts.changes
	not moves_nothing
}

moves_nothing if {
	amount.value == 0
	not data.registry.money.operations[input.operation.id] == true
}

default stated := false

stated if {
	is_number(amount.value)
	amount.value > 0
	amount.currency != ""
}

limits contains data.registry.money.tenants[input.tenant][amount.currency]

limits contains data.registry.money.agents[input.agent.id][amount.currency]

limits contains limit if {
	some role in facts.roles
	limit := data.registry.money.roles[role][amount.currency]
}

# METADATA
# title: Stated amount
# description: A call that moves money says how much, above zero, and in which currency
# custom:
#   id: R070
deny contains {
	"code": "amount.invalid",
	"rule": "R070",
	"detail": "The call does not state an amount above zero and its currency.",
} if {
	carries
	not stated
}

# METADATA
# title: Limited currency
# description: Money moves only in a currency for which a limit is set
# custom:
#   id: R071
deny contains {
	"code": "amount.no_limit",
	"rule": "R071",
	"detail": "No limit is set for the agent in this currency.",
} if {
	carries
	stated
	count(limits) == 0
}

# METADATA
# title: Limit of a call
# description: One call moves no more than each limit that applies
# custom:
#   id: R072
deny contains {
	"code": "spend.call_exceeded",
	"rule": "R072",
	"detail": "The amount is above the limit of one call.",
} if {
	carries
	stated
	some limit in limits
	not within_call(limit)
}

# METADATA
# title: Limit of a day
# description: With what the agent spent today, the call stays within each limit of a day
# custom:
#   id: R073
deny contains {
	"code": "spend.day_exceeded",
	"rule": "R073",
	"detail": "The amount is above what is left of the limit of a day.",
} if {
	carries
	stated
	some limit in limits
	not within_day(limit)
}

# METADATA
# title: Limit of a task
# description: With what was spent in the task, the call stays within each limit of a task
# custom:
#   id: R074
deny contains {
	"code": "spend.task_exceeded",
	"rule": "R074",
	"detail": "The amount is above what is left of the limit of a task.",
} if {
	carries
	stated
	some limit in limits
	limit.per_task
	not within_task(limit)
}

# A text is greater than every number in Rego: only numbers are compared.
within_call(limit) if {
	is_number(limit.per_call)
	amount.value <= limit.per_call
}

within_day(limit) if {
	is_number(limit.per_day)
	amount.value + input.history.spend_day <= limit.per_day
}

within_task(limit) if {
	is_number(limit.per_task)
	amount.value + input.history.spend_task <= limit.per_task
}
