package gateway.grants_test

import data.gateway.fixtures_test as fixtures
import data.gateway.grants

rules(input_document) := {deny.rule | some deny in grants.deny with input as input_document}

merge := {"operation": {"id": "github.pulls/merge", "access": "write"}}

test_r020_fires if "R020" in rules(object.union(fixtures.read, merge))

test_r020_fires_on_a_read_of_a_connector_that_is_not_granted if {
	incidents := {"operation": {"id": "pagerduty.listIncidents", "connector": "pagerduty"}}
	"R020" in rules(object.union(fixtures.read, incidents))
}

test_r020_fires_when_the_access_is_not_known if {
	"R020" in rules(object.union(fixtures.read, {"operation": {"access": "peek"}}))
}

test_r020_fires_on_a_read_of_what_is_confidential if {
	scan := {"operation": {"id": "github.secret-scanning/list-alerts-for-repo", "data_class": "confidential"}}
	"R020" in rules(object.union(fixtures.read, scan))
}

test_r020_fires_on_a_read_whose_data_class_is_not_known if {
	"R020" in rules(object.union(fixtures.read, {"operation": {"data_class": ""}}))
}

test_r020_quiet_for_a_read_of_a_granted_connector if not "R020" in rules(fixtures.read)

test_r020_quiet_for_an_exact_grant if not "R020" in rules(fixtures.comment)

test_r020_quiet_for_a_role_that_others_do_not_have if not "R020" in rules(object.union(fixtures.change, merge))

test_r020_quiet_for_an_agent_nobody_registered if {
	count(rules(object.union(fixtures.read, {"agent": {"id": "stranger"}}))) == 0
}

test_r021_fires if "R021" in rules(object.union(fixtures.comment, {"agent": {"id": "standards-search-agent"}}))

test_r021_fires_when_the_access_is_not_known if {
	reader := {"agent": {"id": "standards-search-agent"}, "operation": {"access": "peek"}}
	"R021" in rules(object.union(fixtures.read, reader))
}

test_r021_quiet_for_an_agent_nobody_registered if {
	not "R021" in rules(object.union(fixtures.comment, {"agent": {"id": "stranger"}}))
}

test_r021_quiet_for_a_read if {
	not "R021" in rules(object.union(fixtures.read, {"agent": {"id": "standards-search-agent"}}))
}

test_r021_quiet_for_an_agent_that_may_write if not "R021" in rules(fixtures.comment)

test_an_agent_that_nobody_registered_has_no_grant if {
	count(grants.grant) == 0 with input as object.union(fixtures.read, {"agent": {"id": "stranger"}})
}

test_an_empty_input_has_no_grant if count(grants.grant) == 0 with input as {}
