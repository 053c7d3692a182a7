# METADATA
# description: How much can go wrong with this call, 0 to 10. The weights are data.
package gateway.risk

import data.gateway.facts

weights := data.registry.risk

# METADATA
# description: What cannot be scored is as risky as can be
default score := 10

score := min([10, sum([part | some part in parts])]) if {
	every name in ["operation", "environment", "data_class"] { parts[name] >= 0 }
}

# Named, so that equal parts count each.
parts["operation"] := input.operation.risk

parts["environment"] := max([object.get(weights.environment, name, 10) | some name in facts.environments])

parts["data_class"] := object.get(weights.data_class, input.operation.data_class, 10)

parts["hour"] := weights.outside_business_hours if not input.time.business_hours == true

parts["irreversible"] := weights.irreversible if {
	facts.changes
	not input.operation.reversible == true
}

parts["first_use"] := weights.first_use if input.signals.first_use == true

parts["injection"] := weights.suspected_injection if count(input.signals.injection) > 0

parts["personal_data"] := weights.personal_data if count(input.signals.pii) > 0

parts["recent_errors"] := sum([step.weight |
	some step in weights.recent_errors
	input.history.errors_1h >= step.at_least
])
