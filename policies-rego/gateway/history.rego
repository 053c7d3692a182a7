# METADATA
# description: >-
#   What the agent did before. A task is what the agent calls it, so what must not follow upon something else is looked
#   up in the last hour of the proven agent as well, whatever task it names or leaves out.
package gateway.history

import data.gateway.facts
import data.gateway.money

# METADATA
# title: Sequence of calls
# description: After some operations, or some classes of data, others are closed
# custom:
#   id: R080
deny contains {
	"code": "sequence.not_allowed",
	"rule": "R080",
	"detail": $"{name}: not after what the agent did before.",
} if {
	some name, sequence in data.registry.sequences
	closed(sequence.never)
	happened(sequence.after)
}

# METADATA
# title: Changes in a task
# description: In one task an agent changes no more than each limit that applies
# custom:
#   id: R081
deny contains {
	"code": "writes.task_exceeded",
	"rule": "R081",
	"detail": "The agent has made all the changes that one task may have.",
} if {
	facts.changes
	some limit in limits
	limit.writes_task
	not below(limit, "writes_task")
}

# METADATA
# title: Named task
# description: Where something is limited by task, a change names its task, so that leaving it out is no way around
# custom:
#   id: R082
deny contains {
	"code": "task.required",
	"rule": "R082",
	"detail": "Name the task in Toolgate-Task.",
} if {
	facts.changes
	limited_by_task
	not names_task
}

# METADATA
# title: Denials
# description: An agent that was denied this often within ten minutes is trying something out
# custom:
#   id: R083
deny contains {
	"code": "denials.exceeded",
	"rule": "R083",
	"detail": "The agent was denied too often in the last ten minutes.",
} if {
	some limit in limits
	limit.denials_10m
	not below(limit, "denials_10m")
}

# METADATA
# title: Errors
# description: An agent whose calls fail this often within an hour changes nothing until they do not
# custom:
#   id: R084
deny contains {
	"code": "errors.exceeded",
	"rule": "R084",
	"detail": "Too many calls of the agent failed in the last hour for it to change anything.",
} if {
	facts.changes
	some limit in limits
	limit.errors_1h
	not below(limit, "errors_1h")
}

closed(never) if never.operations[input.operation.id] == true

closed(never) if {
	facts.changes
	never.changes[input.operation.connector] == true
}

happened(after) if {
	some id in input.history.operations_1h
	after.operations[id] == true
}

happened(after) if {
	some id in input.history.operations_task
	after.operations[id] == true
}

happened(after) if {
	some class in input.history.data_classes_1h
	after.data_classes[class] == true
}

happened(after) if {
	some class in input.history.data_classes_task
	after.data_classes[class] == true
}

# What nobody can tell may have happened; `*` stands for operations that were too many to be remembered.
happened(_) if not told

told if {
	is_array(input.history.operations_1h)
	is_array(input.history.data_classes_1h)
	is_array(input.history.operations_task)
	is_array(input.history.data_classes_task)
	not "*" in input.history.operations_1h
}

limits contains data.registry.history.tenants[input.tenant]

limits contains data.registry.history.agents[input.agent.id]

limits contains limit if {
	some role in facts.roles
	limit := data.registry.history.roles[role]
}

names_task if input.declared.task != ""

limited_by_task if {
	some limit in limits
	limit.writes_task
}

limited_by_task if {
	some limit in money.limits
	limit.per_task
}

# A text is greater than every number in Rego: only numbers are compared.
below(limit, counter) if {
	is_number(input.history[counter])
	is_number(limit[counter])
	input.history[counter] < limit[counter]
}
