# METADATA
# title: A service that runs commands listens beside the jail
# description: >-
#   Some local servers do for whoever connects what ends outside the jail: an unjailed `opencode serve` runs shell
#   commands, Docker's TCP port starts containers as root. With a shared network the jail is such a caller; what
#   answers is told by its usual port, so it may be another program (opencode's documentation, "Server").
# related_resources:
#   - ref: https://opencode.ai/docs/server/
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: stop the service, give it a password, or add --unshare-net
#   params:
#     type: object
#     properties:
#       tolerated:
#         type: array
#         description: ports whose service asks for a password, or is not what usually listens there
#         items:
#           type: integer
#           minimum: 1
#           maximum: 65535
#         default: []
#   avoid:
#     given: Docker listens on port 2375
#   prefer: --unshare-net
package ocjail.rules.net.local_service

import data.ocjail.lib.findings

findings contains findings.new(
	sprintf("port %d of the host answers, which is usually %s and %s; the jail reaches it through the shared network", [port, service.name, service.does]),
	{"kind": "socket", "name": sprintf("%d", [port])},
	findings.add(sprintf("stop %s or let it ask for a password; or add", [service.name]), ["--unshare-net"]),
) if {
	not input.jail.namespaces.net == "unshared"
	some port in input.host.listening
	some service in data.ocjail.services.commands
	service.port == port
	not port in input.params["net/local-service"].tolerated
}
