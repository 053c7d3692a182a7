package gateway.content_test

import data.gateway.content
import data.gateway.fixtures_test as fixtures

rules(input_document) := {deny.rule | some deny in content.deny with input as input_document}

secret := {"signals": {"secrets": ["github_token"]}}

test_r050_fires if rules(object.union(fixtures.comment, secret)) == {"R050"}

test_r050_fires_without_signals if rules(object.remove(fixtures.comment, ["signals"])) == {"R050"}

test_r050_quiet if count(rules(fixtures.comment)) == 0

test_r050_quiet_for_a_read if count(rules(object.union(fixtures.read, secret))) == 0
