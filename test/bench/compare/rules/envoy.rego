# METADATA
# description: Asked by the gRPC sidecar; Envoy has verified the token.
package bench.envoy

import data.bench

default allow := false

allow if {
	[_, claims, _] := io.jwt.decode(trim_prefix(input.headers.authorization, "Bearer "))
	bench.allows(input.method, input.path, claims)
}
