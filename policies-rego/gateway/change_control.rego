# METADATA
# description: >-
#   A change to a change-controlled resource names its ticket and its way back, and is made in business hours.
#   Ticket and plan are declared by the agent: their presence is demanded here, their truth is for people. Freezes and
#   windows hold for every change in their environment, save for a note to people.
package gateway.change_control

import data.gateway.facts

controlled if {
	facts.changes
	some record in facts.listed
	not record.change_controlled == false
}

# METADATA
# title: Change ticket
# description: A change to a change-controlled resource names a change ticket
# custom:
#   id: R040
deny contains {
	"code": "ticket.required",
	"rule": "R040",
	"detail": "Name the change ticket in Toolgate-Ticket.",
} if {
	controlled
	not has_ticket
}

# METADATA
# title: Form of the change ticket
# description: A change ticket is one of the beginnings that the registry lists, and digits
# custom:
#   id: R041
deny contains {
	"code": "ticket.invalid",
	"rule": "R041",
	"detail": $"A change ticket is {concat(" or ", sort(object.keys(ticket_beginnings)))} and digits.",
} if {
	controlled
	has_ticket
	not ticket_well_formed
}

# METADATA
# title: Rollback plan
# description: A change to a change-controlled resource says how it is undone
# custom:
#   id: R042
deny contains {
	"code": "rollback_plan.required",
	"rule": "R042",
	"detail": "Say in Toolgate-Rollback-Plan how the change is undone.",
} if {
	controlled
	not has_rollback_plan
}

# METADATA
# title: Business hours
# description: Changes are made when people are there to see them; a note to people may be left at any hour
# custom:
#   id: R043
deny contains {
	"code": "hours.closed",
	"rule": "R043",
	"detail": "Changes are made in business hours.",
} if {
	facts.changes
	not facts.advisory
	not input.time.business_hours == true
}

# METADATA
# title: Freeze
# description: While an environment is frozen, nothing is changed in it
# custom:
#   id: R044
deny contains {
	"code": "change.frozen",
	"rule": "R044",
	"detail": $"{environment} is frozen: {name}, until {freeze.until}.",
} if {
	facts.changes
	not facts.advisory
	some name, freeze in data.registry.change_control.freezes
	some environment in facts.environments
	freeze.environments[environment] == true
	not outside(freeze)
}

# METADATA
# title: Change window
# description: Where an environment has windows for changes, nothing is changed in it at another time
# custom:
#   id: R045
deny contains {
	"code": "window.closed",
	"rule": "R045",
	"detail": $"{environment} is changed in its windows only.",
} if {
	facts.changes
	not facts.advisory
	some environment in facts.environments
	windows := data.registry.change_control.windows[environment]
	not in_window(windows)
}

# Dates are texts of one length, so their order is the order of days. From and until are within the freeze.
outside(freeze) if {
	has_date
	input.time.date < freeze.from
}

outside(freeze) if {
	has_date
	input.time.date > freeze.until
}

has_date if count(input.time.date) == 10

in_window(windows) if {
	some window in windows
	window.weekdays[input.time.weekday] == true
	input.time.hour >= window.from_hour
	input.time.hour < window.to_hour
}

ticket_beginnings := data.registry.change_control.ticket_beginnings

has_ticket if input.declared.ticket != ""

# A regular expression costs ten microseconds a call, this costs next to nothing.
ticket_well_formed if {
	some beginning, true in ticket_beginnings
	startswith(input.declared.ticket, beginning)
	number := trim_prefix(input.declared.ticket, beginning)
	number != ""
	trim(number, "0123456789") == ""
}

has_rollback_plan if trim_space(input.declared.rollback_plan) != ""
