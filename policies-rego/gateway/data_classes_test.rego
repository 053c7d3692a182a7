package gateway.data_classes_test

import data.gateway.data_classes
import data.gateway.fixtures_test as fixtures

rules(call) := {deny.rule | some deny in data_classes.deny with input as call}

of_class(call, class) := object.union(call, {"operation": {"data_class": class}})

# A change of a secret by somebody who may.
rotation := object.union(fixtures.change, {
	"agent": {"id": "secret-response-agent"},
	"principal": {"groups": ["security-operations", "secret-custodians"]},
	"operation": {"id": "github.actions/create-or-update-repo-secret", "data_class": "restricted"},
})

test_r055_fires if rules(of_class(fixtures.read, "confidential")) == {"R055"}

test_r055_fires_where_reading_is_open_and_changing_is_not if {
	alerts := object.union(rotation, {"operation": {"access": "read"}})
	rules(alerts) == {"R055"}
}

test_r055_fires_where_the_tenant_has_not_opened_it if {
	closed := {"read": {}, "write": {}}
	{deny.rule | some deny in data_classes.deny} == {"R055"} with input as fixtures.read
		with data.registry.tenants["zyx-bank"].data_classes as closed
}

test_r055_fires_on_a_class_that_is_not_known if rules(of_class(fixtures.read, "secret")) == {"R055"}

test_r055_fires_without_an_operation if "R055" in rules(object.remove(fixtures.read, ["operation"]))

test_r055_quiet if count(rules(fixtures.read)) == 0

test_r055_quiet_where_tenant_and_role_opened_it if count(rules(rotation)) == 0

test_r055_quiet_for_an_agent_nobody_registered if {
	count(rules(object.union(fixtures.read, {"agent": {"id": "stranger"}}))) == 0
}

test_r056_fires if rules(object.union(rotation, {"principal": {"groups": ["security-operations"]}})) == {"R056"}

test_r056_fires_without_a_principal if rules(object.remove(rotation, ["principal"])) == {"R056"}

test_r056_quiet if count(rules(rotation)) == 0

test_r056_quiet_for_a_class_that_names_no_groups if count(rules(fixtures.read)) == 0

test_r057_fires if rules(object.union(rotation, {"agent": {"binding": "none"}})) == {"R057"}

test_r057_fires_without_a_binding if {
	unbound := object.union(object.remove(rotation, ["agent"]), {"agent": {"id": "secret-response-agent"}})
	rules(unbound) == {"R057"}
}

test_r057_quiet if count(rules(rotation)) == 0

test_r057_quiet_for_a_class_that_demands_no_proof if {
	count(rules(object.union(fixtures.read, {"agent": {"binding": "none"}}))) == 0
}
