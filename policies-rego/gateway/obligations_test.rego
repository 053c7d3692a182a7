package gateway.obligations_test

import data.gateway.fixtures_test as fixtures
import data.gateway.obligations

people(input_document) := {obligation.properties.count |
	some obligation in obligations.obligation with input as input_document
}

risky(risk) := object.union(fixtures.change, {"operation": {"risk": risk, "data_class": "public"}})

approved(call, approvers) := object.union(call, {"approval": {"state": "approved", "id": "a", "approvers": approvers}})

# Staging is 2.
test_r060_fires_for_one_person_from_three if {
	people(risky(1)) == {1}
	people(risky(5)) == {1}
}

test_r060_fires_for_two_people_from_eight if {
	people(risky(6)) == {2}
	people(risky(10)) == {2}
}

test_r060_quiet_below_three if count(people(risky(0))) == 0

test_r060_quiet_for_a_read if count(people(object.union(fixtures.read, {"operation": {"risk": 10}}))) == 0

test_r060_quiet_for_a_note_to_people if {
	count(people(object.union(fixtures.comment, {"operation": {"risk": 10}}))) == 0
}

test_r060_quiet_once_approved if {
	count(people(approved(risky(1), ["kim"]))) == 0
	count(people(approved(risky(6), ["kim", "lee"]))) == 0
}

test_r060_fires_while_too_few_have_approved if {
	people(approved(risky(1), [])) == {1}
	people(approved(risky(6), ["kim"])) == {2}
}

test_r060_fires_when_one_person_approved_twice if people(approved(risky(6), ["kim", "kim"])) == {2}

test_r060_fires_when_approvers_are_named_but_nothing_is_approved if {
	call := object.union(risky(1), {"approval": {"state": "none", "approvers": ["kim"]}})
	people(call) == {1}
}

test_r060_names_who_and_for_how_long if {
	some obligation in obligations.obligation with input as risky(6)
	obligation == {"id": "R060", "type": "approval", "properties": {
		"groups": {"change-approvers"},
		"count": 2,
		"distinct": true,
		"ttl_seconds": 1800,
		"escalation_group": "change-managers",
		"escalate_after_seconds": 600,
	}}
}
