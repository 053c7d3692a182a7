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
	max([object.get(weights.environment, name, 10) | some name in facts.environments]),
	object.get(weights.data_class, input.operation.data_class, 10),
	sum([weights[name] | some name in added]),
	sum([step.weight | some step in weights.recent_errors; input.history.errors_1h >= step.at_least]),
])

# METADATA
# description: Names of the weights that this call adds, each by itself
# scope: document
added contains "outside_business_hours" if not input.time.business_hours == true

added contains "irreversible" if {
	facts.changes
	not input.operation.reversible == true
}

added contains "first_use" if not input.signals.first_use == false

added contains "suspected_injection" if not input.signals.injection == []

added contains "personal_data" if not input.signals.pii == []

# What rules may read was cut: they judge the call by what it acts upon, but not by all that it says.
added contains "unread" if {
	facts.changes
	not input.params.truncated == false
}

default prepared := 0

# A draft that nobody else sees yet can be thrown away.
prepared := weights.prepared if input.operation.phase == "prepare"
