# METADATA
# description: >-
#   Decides which requests `opa run --authorization=basic` answers at all. Envoy sends it each call, below a path of
#   documents that nobody defined: 200 when it may pass, 401 when it may not.
package system.authz

import data.bench

default allow := false

allow if {
	array.slice(input.path, 0, 3) == ["v1", "data", "calls"]
	[_, claims, _] := io.jwt.decode(trim_prefix(input.headers.Authorization[0], "Bearer "))
	bench.allows(input.method, array.slice(input.path, 3, count(input.path)), claims)
}

allow if input.path == ["health"]
