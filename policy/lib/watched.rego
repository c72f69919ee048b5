# METADATA
# title: Watched paths
# description: The watched paths that the jail reaches, by class. Most are out of reach, so they are gone through once for all rules.
# schemas:
#   - input: schema.input
package ocjail.lib.watched

reached := [w |
	some w in input.watched
	w.access != "none"
]

host_executed := of("host-executed")

agent_work := of("agent-work")

checker_state := of("checker-state")

shared_caches := of("shared-cache")

secrets := there(of("secret"))

sockets := there(of("socket"))

devices := there(of("device"))

of(class) := [w | some w in reached; w.class == class]

# Whether something is there may be unknown, which is no reason to let it pass.
there(list) := [w | some w in list; w.exists != false]
