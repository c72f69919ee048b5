# METADATA
# title: A device of the host is in the jail
# description: >-
#   Device files reach the kernel and the hardware beside every other mount: disks and memory hold all files, input devices
#   see and type keys. dev-bind keeps them working where bind does not (bwrap(1)); --dev makes a minimal /dev instead.
# related_resources:
#   - ref: https://manpages.debian.org/bookworm/bubblewrap/bwrap.1.en.html
#     description: --dev-bind and --dev
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: use --dev /dev, and dev-bind only the one device that is needed
#   avoid: --dev-bind /dev /dev
#   prefer: --dev /dev
package ocjail.rules.fs.device_exposed

import data.ocjail.lib.findings
import data.ocjail.lib.mounts
import data.ocjail.lib.paths
import data.ocjail.lib.watched

# Devices work through an access that is none of these: bind mounts are nodev.
without_devices := mounts.harmless | {"rw"}

findings contains findings.new(
	sprintf("%s is in the jail as a working device, %s: %s", [w.path, findings.through(w), w.reason]),
	findings.watched("path", w),
	"drop the dev-bind, or bind the one device that is needed",
) if {
	some w in watched.devices
	not w.access in without_devices
	not through_dev(w)
}

findings contains findings.new(
	sprintf("all of %s is in the jail with working devices, through %s", [mounts.source(m), findings.words(i)]),
	findings.mount(i),
	findings.add("make a minimal one in its place", ["--dev", m.dest]),
) if {
	some i in device_mounts
	m := input.jail.mounts[i]
	mounts.source(m) == "/dev"
}

# The finding above names /dev once, not each device in it.
through_dev(w) if mounts.source(input.jail.mounts[w.via]) == "/dev"

# A block device holds a file system whole, wherever its node lies.
findings contains findings.new(
	sprintf("the disk %s is in the jail, through %s", [mounts.source(m), findings.words(i)]),
	findings.mount(i),
	"drop the dev-bind",
) if {
	some i in device_mounts
	m := input.jail.mounts[i]
	m.type == "block-device"
}

# Devices that come in numbers, of which a machine has dozens.
findings contains findings.new(
	sprintf("%s is in the jail as a working device, through %s: it reaches a disk, a bus, the kernel or a terminal outside the jail", [path, findings.words(i)]),
	findings.mount(i),
	"drop the dev-bind",
) if {
	some i in device_mounts
	m := input.jail.mounts[i]
	path := mounts.source(m)
	m.type != "block-device"
	dangerous(path)
	not known(i)
}

# A person named this device; nobody judged it yet.
findings contains findings.lowered("warning", findings.new(
	sprintf("%s is in the jail, through %s", [path, findings.words(i)]),
	findings.mount(i),
	"drop the dev-bind, or add the device to data.ocjail.tolerated.devices in a policy of your own",
)) if {
	some i in device_mounts
	m := input.jail.mounts[i]
	path := mounts.source(m)
	m.type != "block-device"
	names_device(m, path)
	not tolerated(path)
	not dangerous(path)
	not known(i)
}

device_mounts contains i if {
	some i in mounts.shown
	not input.jail.mounts[i].access in without_devices
}

names_device(m, _) if m.type == "char-device"

names_device(_, path) if paths.strictly_under(path, "/dev")

dangerous(path) if {
	some pattern in data.ocjail.devices.dangerous
	glob.match(pattern, ["/"], path)
}

tolerated(path) if {
	some device in data.ocjail.tolerated.devices
	paths.under(path, device)
}

known(i) if {
	some w in watched.devices
	w.via == i
}
