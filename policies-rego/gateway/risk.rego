# METADATA
# description: How much can go wrong with this call, 0 to 10. The weights are data.
package gateway.risk

import data.gateway.facts

weights := data.registry.risk

# METADATA
# description: What cannot be scored, because a part of the sum is missing, is as risky as can be
# scope: document
default score := 10

score := min([10, max([0, total - prepared])])

total := sum([
	input.operation.risk,
	environment,
	data_class,
	hour,
	irreversible,
	first_use,
	injection,
	personal_data,
	unread,
	recent_errors,
])

environment := max([object.get(weights.environment, name, 10) | some name in facts.environments])

data_class := object.get(weights.data_class, input.operation.data_class, 10)

default hour := 0

hour := weights.outside_business_hours if not input.time.business_hours == true

default irreversible := 0

irreversible := weights.irreversible if {
	facts.changes
	not input.operation.reversible == true
}

default first_use := 0

first_use := weights.first_use if not input.signals.first_use == false

default injection := 0

injection := weights.suspected_injection if not input.signals.injection == []

default personal_data := 0

personal_data := weights.personal_data if not input.signals.pii == []

default unread := 0

# What rules may read was cut: they judge the call by what it acts upon, but not by all that it says.
unread := weights.unread if {
	facts.changes
	not input.params.truncated == false
}

default prepared := 0

# A draft that nobody else sees yet can be thrown away.
prepared := weights.prepared if input.operation.phase == "prepare"

recent_errors := sum([step.weight |
	some step in weights.recent_errors
	input.history.errors_1h >= step.at_least
])
