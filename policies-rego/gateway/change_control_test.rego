package gateway.change_control_test

import data.gateway.change_control
import data.gateway.fixtures_test as fixtures

rules(input_document) := {deny.rule | some deny in change_control.deny with input as input_document}

declared(facts) := object.union(fixtures.change, {"declared": facts})

at_night(call) := object.union(call, {"time": {"hour": 3, "business_hours": false}})

test_r040_fires if rules(declared({"ticket": ""})) == {"R040"}

test_r040_fires_without_declared_facts if {
	rules(object.remove(fixtures.change, ["declared"])) == {"R040", "R042"}
}

test_r040_fires_when_the_access_is_not_known if {
	rules(object.union(declared({"ticket": ""}), {"operation": {"access": "peek"}})) == {"R040"}
}

test_r040_quiet if count(rules(fixtures.change)) == 0

test_r040_quiet_for_a_read if count(rules(fixtures.read)) == 0

test_r040_quiet_where_nothing_is_change_controlled if count(rules(fixtures.comment)) == 0

test_r041_fires if {
	tickets := ["CHG-", "18422", "CHG-18a", "CHG--1", "chg-1", "INC-1", " CHG-1", "CHG-1 ", "CHG-1e3", "CHG-١", "CHG-1\n"]
	every ticket in tickets { rules(declared({"ticket": ticket})) == {"R041"} }
}

test_r041_quiet if count(rules(fixtures.change)) == 0

test_r041_quiet_for_a_read if count(rules(object.union(fixtures.read, {"declared": {"ticket": "INC-1"}}))) == 0

test_r042_fires if rules(declared({"rollback_plan": ""})) == {"R042"}

test_r042_fires_on_blanks if rules(declared({"rollback_plan": " \t\n"})) == {"R042"}

test_r042_quiet if count(rules(fixtures.change)) == 0

test_r043_fires if rules(at_night(fixtures.change)) == {"R043"}

test_r043_fires_without_a_time if rules(object.remove(fixtures.change, ["time"])) == {"R043"}

test_r043_quiet_for_a_read if count(rules(at_night(fixtures.read))) == 0

test_r043_quiet_for_a_note_to_people if count(rules(at_night(fixtures.comment))) == 0

test_r043_fires_for_a_note_left_elsewhere if {
	rules(at_night(object.union(fixtures.comment, {"resource": {"project": "HR"}}))) == {"R043"}
}
