# METADATA
# title: The jail shares the host's System V memory
# description: >-
#   Segments, queues and semaphores of System V IPC that the user's programs made can be read and changed by any
#   process of the same user and namespace, whatever the mounts (sysvipc(7)). A namespace of the jail's own has none of
#   them.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/ipc_namespaces.7.html
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: add --unshare-ipc
#   avoid: ""
#   prefer: --unshare-ipc
package ocjail.rules.session.shared_ipc

import data.ocjail.lib.findings

findings contains findings.new(
	"the jail has no IPC namespace of its own: it reads and changes the System V shared memory and queues of the user's programs",
	{"kind": "namespace", "name": "ipc"},
	findings.add("add", ["--unshare-ipc"]),
) if {
	not input.jail.namespaces.ipc == "unshared"
}
