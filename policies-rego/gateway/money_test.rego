package gateway.money_test

import data.gateway.fixtures_test as fixtures
import data.gateway.money

limits := {
	"operations": {"github.issues/create-comment": true},
	"tenants": {"zyx-bank": {"EUR": {"per_call": 100, "per_day": 300}}},
	"roles": {"releaser": {"EUR": {"per_call": 50, "per_day": 1000, "per_task": 80}}},
	"agents": {"another": {"EUR": {"per_call": 1, "per_day": 1}}},
}

rules(call) := {deny.rule | some deny in money.deny with input as call with data.registry.money as limits}

moving(value, currency) := object.union(
	fixtures.change,
	{"resource": {"amount": {"value": value, "currency": currency}}},
)

spent(value, history) := object.union(moving(value, "EUR"), {"history": history})

test_r070_fires_where_an_amount_has_to_be_stated if rules(moving(0, "")) == {"R070"}

test_r070_fires_without_a_currency if rules(moving(5, "")) == {"R070"}

test_r070_fires_on_less_than_nothing if rules(moving(-5, "EUR")) == {"R070"}

test_r070_fires_on_what_is_no_number if rules(moving("5", "EUR")) == {"R070"}

test_r070_fires_without_an_amount if {
	"R070" in rules(object.remove(fixtures.change, ["resource"]))
}

test_r070_quiet if count(rules(moving(5, "EUR"))) == 0

test_r070_quiet_for_what_moves_nothing if {
	count(money.deny) == 0 with input as fixtures.comment with data.registry.money as limits
}

test_r070_quiet_for_a_read if count(rules(object.union(moving(0, ""), {"operation": {"access": "read"}}))) == 0

test_r071_fires if rules(moving(5, "USD")) == {"R071"}

test_r071_fires_on_another_case_of_letters if rules(moving(5, "eur")) == {"R071"}

test_r071_fires_where_no_money_is_known_of if {
	{deny.rule | some deny in money.deny} == {"R071"} with input as moving(5, "EUR") with data.registry.money as {}
}

test_r071_quiet if count(rules(moving(5, "EUR"))) == 0

test_r072_fires_above_the_lowest_of_the_limits if rules(moving(50.01, "EUR")) == {"R072"}

test_r072_fires_above_the_limit_of_the_agent if {
	strict := object.union(limits, {"agents": {"release-agent": {"EUR": {"per_call": 4, "per_day": 4}}}})
	reasons := {deny.rule | some deny in money.deny} with input as moving(4.5, "EUR") with data.registry.money as strict
	reasons == {"R072", "R073"}
}

test_r072_fires_where_the_limit_is_no_number if {
	broken := object.union(limits, {"roles": {"releaser": {"EUR": {"per_call": "50"}}}})
	reasons := {deny.rule | some deny in money.deny} with input as moving(5, "EUR") with data.registry.money as broken
	reasons == {"R072"}
}

test_r072_quiet_at_the_limit if count(rules(moving(50, "EUR"))) == 0

test_r072_quiet_about_what_other_agents_may if count(rules(moving(5, "EUR"))) == 0

test_r073_fires if rules(spent(50, {"spend_day": 251})) == {"R073"}

test_r073_fires_in_whatever_task if rules(spent(50, {"spend_day": 251, "spend_task": 0})) == {"R073"}

test_r073_fires_where_nobody_knows_what_was_spent if {
	"R073" in rules(object.remove(moving(5, "EUR"), ["history"]))
}

test_r073_quiet if count(rules(spent(50, {"spend_day": 250}))) == 0

test_r074_fires if rules(spent(50, {"spend_day": 50, "spend_task": 31})) == {"R074"}

test_r074_quiet if count(rules(spent(50, {"spend_day": 30, "spend_task": 30}))) == 0

test_r074_quiet_where_no_limit_is_by_task if {
	tenants := object.remove(limits, ["roles"])
	count(money.deny) == 0 with input as spent(50, {"spend_task": 200}) with data.registry.money as tenants
}

test_parts_of_a_unit_add_up if {
	cents := {"tenants": {"zyx-bank": {"EUR": {"per_call": 1, "per_day": 0.3}}}}
	call := spent(0.1, {"spend_day": 0.2})
	count(money.deny) == 0 with input as call with data.registry.money as cents
}
