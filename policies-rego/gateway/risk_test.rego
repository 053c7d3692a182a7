package gateway.risk_test

import data.gateway.fixtures_test as fixtures
import data.gateway.risk

score(input_document) := number if number := risk.score with input as input_document

scored(call, facts) := score(object.union(call, facts))

# Staging is 2, internal data 1.
test_a_plain_read if score(fixtures.read) == 3

test_each_part_adds_its_weight if {
	read := fixtures.read
	scored(read, {"operation": {"risk": 4}}) == 7
	scored(read, {"operation": {"data_class": "public"}}) == 2
	scored(read, {"operation": {"data_class": "restricted"}}) == 6
	scored(read, {"resource": {"repository": "zyx/payments-core"}}) == 5
	scored(read, {"time": {"business_hours": false}}) == 4
	scored(read, {"signals": {"first_use": true}}) == 4
	scored(read, {"signals": {"injection": ["override"]}}) == 5
	scored(read, {"signals": {"pii": ["iban"]}}) == 4
	scored(fixtures.change, {"operation": {"reversible": false}}) == score(fixtures.change) + 1
}

test_parts_that_weigh_the_same_count_each if {
	signals := {"first_use": true, "pii": ["iban"]}
	scored(fixtures.read, {"signals": signals, "time": {"business_hours": false}}) == 6
}

test_errors_of_the_last_hour_add_in_steps if {
	read := fixtures.read
	scored(read, {"history": {"errors_1h": 2}}) == 3
	scored(read, {"history": {"errors_1h": 3}}) == 4
	scored(read, {"history": {"errors_1h": 9}}) == 4
	scored(read, {"history": {"errors_1h": 10}}) == 5
}

test_a_draft_is_less_risky_and_never_below_nothing if {
	scored(fixtures.change, {"operation": {"phase": "prepare", "risk": 4}}) == 4
	scored(fixtures.change, {"operation": {"phase": "commit", "risk": 4}}) == 7
	harmless := {"operation": {"phase": "prepare", "risk": 0, "data_class": "public"}}
	scored(fixtures.change, harmless) == 0
}

test_the_worst_environment_counts if {
	both := {"resource": {"repository": "zyx/payments-core"}, "operation": {"environment": "staging"}}
	scored(fixtures.read, both) == 5
}

test_what_the_registry_records_outweighs_an_input_that_does_not_know if {
	repository := data.registry.tenants["zyx-bank"].resources.github.repository["zyx/platform-infra"]
	calm := object.union(repository, {"environment": "development"})
	number := risk.score with input as fixtures.read
		with data.registry.tenants["zyx-bank"].resources.github.repository["zyx/platform-infra"] as calm
	number == 1
}

test_nowhere_in_particular_counts_as_unknown if scored(fixtures.read, {"resource": {"repository": ""}}) == 3

test_a_change_that_rules_could_not_read_whole_adds_its_weight if {
	truncated := {"params": {"truncated": true}}
	scored(fixtures.change, truncated) == score(fixtures.change) + 1
	scored(fixtures.read, truncated) == score(fixtures.read)
}

test_a_read_that_cannot_be_undone_adds_nothing if scored(fixtures.read, {"operation": {"reversible": false}}) == 3

test_ten_is_the_most if {
	worst := {"operation": {"risk": 10, "data_class": "restricted"}, "time": {"business_hours": false}}
	scored(fixtures.read, worst) == 10
}

test_what_has_no_weight_is_as_risky_as_can_be if {
	scored(fixtures.read, {"operation": {"data_class": "secret"}}) == 10
	scored(fixtures.read, {"operation": {"environment": "moon"}}) == 10
}

test_what_is_missing_is_as_risky_as_can_be if {
	score({}) == 10
	every name in ["risk", "data_class", "environment"] {
		score(object.union(object.remove(fixtures.read, ["operation", "resource"]), {
			"operation": object.remove(fixtures.read.operation, [name]),
		})) == 10
	}
}
