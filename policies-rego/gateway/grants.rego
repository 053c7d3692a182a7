# METADATA
# description: What the agent was given. Ordinary reads are granted by connector, everything else by exact operation.
package gateway.grants

import data.gateway.facts

# METADATA
# description: Roles that carry the grant of the exact operation
grant contains role if {
	some role in facts.roles
	data.registry.roles[role].operations[input.operation.id] == true
}

# METADATA
# description: >-
#   Roles that carry the grant of every ordinary read of the connector. What is confidential, such as the secrets that a
#   scan found, is granted by name.
grant contains role if {
	input.operation.access == "read"
	ordinary[input.operation.data_class] == true
	some role in facts.roles
	data.registry.roles[role].reads[input.operation.connector] == true
}

ordinary := {"public": true, "internal": true}

# METADATA
# title: Granted operation
# description: One of the roles of the agent grants the operation
# custom:
#   id: R020
deny contains {
	"code": "operation.not_granted",
	"rule": "R020",
	"detail": $"No role of the agent grants {input.operation.id}.",
} if {
	facts.agent
	count(grant) == 0
}

# METADATA
# title: Write flag
# description: An agent without the write flag changes nothing, whatever its roles grant
# custom:
#   id: R021
deny contains {
	"code": "write.not_allowed",
	"rule": "R021",
	"detail": "The agent is registered for reading only.",
} if {
	facts.agent
	facts.changes
	not facts.agent.may_write == true
}
