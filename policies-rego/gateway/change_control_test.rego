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

test_r041_fires_on_a_beginning_that_is_not_listed if {
	reasons := {deny.detail | some deny in change_control.deny} with input as fixtures.change
		with data.registry.change_control.ticket_beginnings as {"OPS-": true, "INC-": true, "CHG-": false}
	reasons == {"A change ticket is CHG- or INC- or OPS- and digits."}
}

# The release agent in production on a Monday.
production := object.union(fixtures.change, {"resource": {"repository": "zyx/payments-core"}})

on(call, date) := object.union(call, {"time": {"date": date}})

at(call, weekday, hour) := object.union(call, {"time": {"weekday": weekday, "hour": hour}})

test_r044_fires_from_the_first_day_to_the_last if {
	every date in ["2026-12-18", "2026-12-31", "2027-01-03"] { rules(on(production, date)) == {"R044"} }
}

test_r044_fires_where_the_date_is_not_known if {
	every date in ["", "today", 20261101, null] { rules(on(production, date)) == {"R044"} }
}

test_r044_quiet_before_and_after if {
	every date in ["2026-12-17", "2027-01-04", "2025-12-24"] { count(rules(on(production, date))) == 0 }
}

test_r044_quiet_in_another_environment if count(rules(on(fixtures.change, "2026-12-24"))) == 0

test_r044_quiet_for_a_read if {
	count(rules(on(object.union(production, {"operation": {"access": "read"}}), "2026-12-24"))) == 0
}

test_r044_quiet_for_a_note_to_people if {
	note := object.union(fixtures.comment, {"operation": {"environment": "production"}})
	count(rules(on(note, "2026-12-24"))) == 0
}

test_r045_fires_on_another_day if rules(at(production, "friday", 10)) == {"R045"}

test_r045_fires_at_another_hour if {
	rules(at(production, "monday", 7)) == {"R045"}
	rules(at(production, "monday", 17)) == {"R045"}
}

test_r045_fires_where_the_hour_is_not_known if {
	untimed := object.union(object.remove(production, ["time"]), {"time": {"date": "2026-11-23", "business_hours": true}})
	rules(untimed) == {"R045"}
}

test_r045_quiet if {
	count(rules(at(production, "monday", 8))) == 0
	count(rules(at(production, "thursday", 16))) == 0
}

test_r045_quiet_where_the_environment_has_no_windows if count(rules(at(fixtures.change, "friday", 10))) == 0

test_r045_quiet_for_a_read if {
	count(rules(at(object.union(production, {"operation": {"access": "read"}}), "friday", 10))) == 0
}

test_r045_quiet_for_a_note_to_people if {
	note := object.union(fixtures.comment, {"operation": {"environment": "production"}})
	count(rules(at(note, "friday", 10))) == 0
}
