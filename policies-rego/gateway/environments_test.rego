package gateway.environments_test

import data.gateway.environments
import data.gateway.fixtures_test as fixtures

rules(input_document) := {deny.rule | some deny in environments.deny with input as input_document}

in_payments_core := {"resource": {"repository": "zyx/payments-core"}}

test_r035_fires_where_the_registry_says_production if "R035" in rules(object.union(fixtures.read, in_payments_core))

test_r035_fires_where_the_input_says_production if {
	"R035" in rules(object.union(fixtures.read, {"operation": {"environment": "production"}}))
}

test_r035_fires_where_the_input_denies_what_the_registry_says if {
	calmed := {"operation": {"environment": "development"}}
	"R035" in rules(object.union_n([fixtures.read, in_payments_core, calmed]))
}

test_r035_fires_on_an_environment_nobody_registered if {
	"R035" in rules(object.union(fixtures.read, {"operation": {"environment": "moon"}}))
}

test_r035_quiet if count(rules(fixtures.read)) == 0

test_r035_quiet_for_a_role_that_opens_production if {
	count(rules(object.union(fixtures.change, in_payments_core))) == 0
}
