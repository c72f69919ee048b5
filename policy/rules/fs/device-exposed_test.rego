package ocjail.rules.fs.device_exposed_test

import data.ocjail.fixtures
import data.ocjail.rules.fs.device_exposed as rule

dev(path, more) := fixtures.bind("dev-bind", "dev", path, more)

found(mounts, watched) := v if {
	v := fixtures.brief(rule.findings) with input as object.union(fixtures.mounts(mounts), {"watched": watched})
}

test_all_devices_are_reported_once if {
	watched := [fixtures.watch("device", "dev", "/dev/mem", {}), fixtures.watch("device", "dev", "/dev/input", {})]
	found([dev("/dev", {})], watched) == {["error", "/dev"]}
}

test_dangerous_device if {
	watched := [fixtures.watch("device", "dev", "/dev/input", {"type": "dir"})]
	found([dev("/dev/input", {})], watched) == {["error", "/dev/input"]}
}

test_device_of_a_wider_mount if {
	watched := [fixtures.watch("device", "dev", "/dev/mem", {})]
	found([dev("/", {"covers": ["root"]})], watched) == {["error", "/dev/mem"]}
}

test_disk_wherever_its_node_lies if {
	found([dev("/srv/disk", {"type": "block-device"})], []) == {["error", "/srv/disk"]}
}

test_numbered_device if {
	every name in ["tty1", "ttyUSB0", "sg3", "hidraw12", "nvme0", "bsg/0:0:0:0", "cpu/0/msr", "vcsa7", "kmsg"] {
		path := concat("/", ["/dev", name])
		found([dev(path, {"type": "char-device"})], []) == {["error", path]}
	}
	found([dev("/dev/sda1", {"type": "block-device"})], []) == {["error", "/dev/sda1"]}
	found([dev("/dev/nvme0n1", {"type": "unknown"})], []) == {["error", "/dev/nvme0n1"]}
}

test_terminals_of_others if {
	found([dev("/dev/pts", {})], [fixtures.watch("device", "dev", "/dev/pts", {"type": "dir"})]) == {["error", "/dev/pts"]}
}

test_unlisted_device_is_a_warning if {
	found([dev("/dev/video0", {"type": "char-device"})], []) == {["warning", "/dev/video0"]}
	found([dev("/srv/node", {"type": "char-device"})], []) == {["warning", "/srv/node"]}
	found([dev("/dev/tty", {"type": "char-device"})], []) == {["warning", "/dev/tty"]}
	found([dev("/dev/snd", {"type": "dir"})], []) == {["warning", "/dev/snd"]}
	found([dev("/dev/sg/3", {"type": "char-device"})], []) == {["warning", "/dev/sg/3"]}
}

# What is both on a list and of a dangerous name or kind is one finding, and one known device hides no other.
test_reported_once if {
	every m in [dev("/dev/sda1", {"type": "block-device"}), dev("/dev/mmcblk0", {"type": "block-device"}), dev("/dev/tty1", {"type": "char-device"})] {
		all := rule.findings with input as fixtures.mounts([m])
		count(all) == 1
	}
	listed := object.union(fixtures.mounts([dev("/dev/tty1", {"type": "char-device"})]), {"watched": [fixtures.watch("device", "dev", "/dev/tty1", {})]})
	all := rule.findings with input as listed
	count(all) == 1
	mounts := [dev("/dev/input", {"type": "dir"}), dev("/dev/tty1", {"type": "char-device"})]
	found(mounts, [fixtures.watch("device", "dev", "/dev/input", {})]) == {["error", "/dev/input"], ["error", "/dev/tty1"]}
}

test_access_of_a_later_version if {
	watched := [fixtures.watch("device", "device-plus", "/dev/mem", {"via": null})]
	found([], watched) == {["error", "/dev/mem"]}
}

test_clean if {
	found(fixtures.default_mounts, [fixtures.watch("device", "none", "/dev/mem", {"via": null})]) == set()
}

test_near_miss[note] if {
	some note, tc in {
		"harmless device": [[dev("/dev/null", {"type": "char-device"})], []],
		"graphics": [[dev("/dev/dri/renderD128", {"type": "char-device"})], []],
		"bind without devices": [[fixtures.bind("ro-bind", "ro", "/dev", {})], [fixtures.watch("device", "ro", "/dev/mem", {})]],
		"one device without working": [[fixtures.bind("ro-bind", "ro", "/dev/mem", {})], [fixtures.watch("device", "ro", "/dev/mem", {})]],
		"one device without working, writable": [[fixtures.bind("bind", "rw", "/dev/mem", {})], [fixtures.watch("device", "rw", "/dev/mem", {})]],
		"hidden disk": [[dev("/dev/sda1", {"type": "block-device", "shadowed_by": 1})], []],
		"hidden terminal": [[dev("/dev/tty1", {"type": "char-device", "shadowed_by": 1})], []],
		"hidden camera": [[dev("/dev/video0", {"type": "char-device", "shadowed_by": 1})], []],
		"device that is not there": [[dev("/srv", {})], [fixtures.watch("device", "dev", "/dev/mem", {"exists": false})]],
		"no device": [[dev("/home/u/p", {})], []],
		"hidden": [[dev("/dev", {"shadowed_by": 1})], []],
	}
	found(tc[0], tc[1]) == set()
}
