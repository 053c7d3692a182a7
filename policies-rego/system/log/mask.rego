# METADATA
# description: >-
#   What leaves an event of the decision log before it goes to a collector: `input` is the event, `input.input` what the
#   rules of the gateway read. A pointer takes something out, an upsert puts something in its place. Members whose names
#   a caller chooses cannot be named one by one, because the pointers of OPA's masks know no escapes: what holds them is
#   taken out whole.
# schemas:
#   - input: schema.event
package system.log

# METADATA
# title: Mask of the decision log
# description: >-
#   Keeps who asked for which operation, and what was decided and why. Takes out whatever a caller can write freely,
#   for there is no telling what it holds; the record of the gateway has it by the decision's id, as commitments.
# entrypoint: true
mask := (contents | account) | names

# METADATA
# description: Parameters with their digest, which a body that can be guessed would be known by.
contents := {"/input/params", "/input/declared", "/input/authorization_details"}

# METADATA
# description: An account number has few digits, and a whole bank behind it.
account contains {"op": "upsert", "path": "/input/resource/account", "value": "***"} if {
	not input.input.resource.account == ""
}

# METADATA
# description: What a call may reach is on a list of its tenant. What was asked for in vain can be any text.
names contains {"op": "upsert", "path": concat("/", ["/input/resource", name]), "value": "***"} if {
	not input.result.allow == true
	some name in ["project", "repository", "channel"]
	not input.input.resource[name] == ""
}
