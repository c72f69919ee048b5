# METADATA
# title: Host path outside the home is writable
# description: >-
#   What an agent changes outside the home and the project (a system folder, another user's files, a shared disk)
#   is run or read by other users and by the system itself. bwrap(1) passes such writes straight to the host.
# related_resources:
#   - ref: https://github.com/containers/bubblewrap#limitations
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: bind it read-only (ro-bind), or add its prefix to data.ocjail.tolerated.writable in a policy of your own
#   avoid: --bind /srv/www /srv/www
#   prefer: --ro-bind /srv/www /srv/www
package ocjail.rules.fs.rw_outside_home

import data.ocjail.lib.findings
import data.ocjail.lib.mounts
import data.ocjail.lib.paths

findings contains finding if {
	some i in mounts.writable
	m := input.jail.mounts[i]
	not m.hardening # repeats what the mount below it is reported for
	path := mounts.source(m)
	not own(path)
	not other_rule(m, path)
	finding := findings.new(
		sprintf("%s can be written in the jail, through %s", [path, findings.words(i)]),
		findings.mount(i),
		findings.add("bind it read-only", ["--ro-bind", path, m.dest]),
	)
}

own(path) if {
	some dir in places
	paths.under(path, dir)
}

# A home of "/" (a service user's) would make everything the user's own.
places := {dir |
	some dir in array.concat(
		[input.host.home, input.host.project_root, input.host.git_common_dir],
		data.ocjail.tolerated.writable,
	)
	dir != "/"
}

# sockets/privileged judges sockets: a bind cannot make one more or less writable.
other_rule(m, _) if m.type == "socket"

# fs/device-exposed judges device files.
other_rule(m, path) if {
	m.access == "dev"
	paths.under(path, "/dev")
}

# gate/undecided reports what a manifest leaves to the start, where it is judged.
other_rule(_, path) if {
	input.phase == "lint"
	startswith(path, "/undecided/")
}

# sockets/bus-names judges the trusted bus proxy; nobody reads files beside its socket.
other_rule(_, path) if {
	some proxy in input.jail.bus_proxies
	proxy.directory == path
}
