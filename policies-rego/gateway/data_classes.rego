# METADATA
# description: Which classes of data a role may read or write, which its tenant may, and what the class itself demands
package gateway.data_classes

import data.gateway.facts

# METADATA
# title: Open data class
# description: Tenant and role open the class of the data to the agent, for reading or for writing
# custom:
#   id: R055
deny contains {
	"code": "data_class.not_allowed",
	"rule": "R055",
	"detail": $"The agent may not {facts.kind} {input.operation.data_class} data.",
} if {
	facts.agent
	not opened
}

# METADATA
# title: Groups of a data class
# description: Where the class names groups, the principal is in one of them
# custom:
#   id: R056
deny contains {
	"code": "data_class.group_required",
	"rule": "R056",
	"detail": $"None of the groups of the principal may have {input.operation.data_class} data.",
} if {
	demands.groups
	not in_group
}

# METADATA
# title: Proof of a data class
# description: Where the class says how an agent has to prove its key, this call did
# custom:
#   id: R057
deny contains {
	"code": "data_class.binding_required",
	"rule": "R057",
	"detail": $"The way in which the agent proves its key is not enough for {input.operation.data_class} data.",
} if {
	demands.bindings
	not proven
}

# The tenant that the agent is registered for: that the call is for it as well is another rule.
opened if {
	data.registry.tenants[facts.agent.tenant].data_classes[facts.kind][input.operation.data_class] == true
	some role in facts.roles
	data.registry.roles[role].data_classes[facts.kind][input.operation.data_class] == true
}

demands := data.registry.data_classes[input.operation.data_class]

in_group if {
	some group in input.principal.groups
	demands.groups[group] == true
}

proven if demands.bindings[input.agent.binding] == true
