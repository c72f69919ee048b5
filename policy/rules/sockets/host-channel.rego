# METADATA
# title: A pipe leads out of the jail
# description: >-
#   What reads a named pipe outside the jail acts on what the jail writes there: jail.nix's jail-to-host-channel runs a
#   script of the host with it as the argument. A read-only bind does not stop writing to a pipe (fifo(7)), so the
#   reader must treat every line as the agent's.
# related_resources:
#   - ref: https://man7.org/linux/man-pages/man7/fifo.7.html
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   remedy: drop the channel, or let its reader take nothing but what it lists
#   avoid: --ro-bind /run/user/1000/notify /run/notify
#   prefer: --tmpfs /run
package ocjail.rules.sockets.host_channel

import data.ocjail.lib.findings
import data.ocjail.lib.mounts

findings contains findings.new(
	sprintf("the jail can write to the pipe %s, through %s: whatever reads it outside acts for the agent", [mounts.source(m), findings.words(i)]),
	findings.mount(i),
	"drop the mount, or let the program that reads the pipe take nothing but what it lists",
) if {
	some i in mounts.shown
	m := input.jail.mounts[i]
	m.type == "fifo"
}
