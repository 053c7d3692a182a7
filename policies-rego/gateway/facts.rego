# METADATA
# description: >-
#   What the packs ask of a call, worked out once. Where the input or the registry is silent, the answer is
#   the one that leads to a refusal.
package gateway.facts

# METADATA
# description: Record of the calling agent; undefined when there is none
agent := data.registry.agents[input.agent.id]

# METADATA
# description: Names of the roles of the agent
roles contains name if some name, true in agent.roles

# METADATA
# description: Whether the call can change anything; only a declared read does not
# scope: document
default changes := true

changes := false if input.operation.access == "read"

# METADATA
# description: The same in the words of the registry
# scope: document
default kind := "write"

kind := "read" if not changes

# METADATA
# description: Record of the tool, which is the connector
tool := data.registry.tools[input.operation.connector]

# METADATA
# description: Groups that may use the operation; its own list replaces the one of the tool
# scope: document
groups := tool.groups if not tool.operations[input.operation.id].groups

groups := tool.operations[input.operation.id].groups

# METADATA
# description: The kind of resource that the operation has to name, or "nothing"
# scope: document
default names := "resource"

names := tool.names if not tool.operations[input.operation.id].names

names := tool.operations[input.operation.id].names

# METADATA
# description: >-
#   What the call acts upon, by kind; kinds it does not name are absent. "*" stands for any or several of its
#   kind, and is on no list unless somebody put it there.
# scope: document
named[kind] := id if {
	some kind in {"repository", "project", "account"}
	id := input.resource[kind]
	id != ""
}

# Slack takes a channel name with or without the number sign.
named[kind] := id if {
	kind := "channel"
	input.resource.channel != ""
	id := trim_prefix(input.resource.channel, "#")
}

# METADATA
# description: Records of the named resources, by kind; a resource that is not on the list of the tenant is absent
listed[kind] := record if {
	opened := data.registry.tenants[input.tenant].resources[input.operation.connector]
	some kind, id in named
	record := opened[kind][id]
}

# METADATA
# description: Where the call acts. What the registry records outweighs an input that does not know
# scope: document
environments contains record.environment if some record in listed

environments contains input.operation.environment if input.operation.environment != "unknown"

environments contains "unknown" if {
	input.operation.environment == "unknown"
	count(listed) == 0
}

# METADATA
# description: A note to people that changes no system and therefore needs no change control
advisory if {
	place := data.registry.advisory[input.operation.id]
	place.ids[named[place.resource]] == true
}
