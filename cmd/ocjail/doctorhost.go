//go:build linux && !nojail

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/decision"
	"github.com/refnil/opencode-jail-devenv/checker/engine/cache"
	"github.com/refnil/opencode-jail-devenv/checker/gate"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

func (d *doctor) user() {
	f := d.facts
	switch {
	case f.SudoUID != "":
		d.add("user", report.Fail, "started through sudo: the jail would be root's, and is refused", "run ocjail as yourself, without sudo")
	case f.UID != f.EUID:
		d.add("user", report.Fail, fmt.Sprintf("the effective user is %d, the real one %d", f.EUID, f.UID), "remove the setuid bit from ocjail")
	case f.UID == 0:
		d.add("user", report.Warn, "root: jails lose every capability, but files of root's are written as root", "run ocjail as an ordinary user")
	default:
		d.add("user", report.OK, fmt.Sprintf("%s (%d), home %s", f.User, f.UID, f.Home), "")
	}
}

// stateDir looks at where decisions are logged, or will be.
func (d *doctor) stateDir() {
	dir := d.facts.StateDir
	st, err := os.Stat(dir)
	at := dir
	for errors.Is(err, fs.ErrNotExist) && at != "/" {
		at = filepath.Dir(at)
		_, err = os.Stat(at)
	}
	switch {
	case err != nil:
		d.add("state", report.Warn, fmt.Sprintf("%s: %v", dir, err), "make it a directory of your own")
	case unix.Access(at, unix.W_OK) != nil:
		d.add("state", report.Warn, fmt.Sprintf("%s can not be written, so decisions are not logged", at), "make it yours: chown $USER '"+at+"'")
	case st != nil && !st.IsDir():
		d.add("state", report.Warn, dir+" is not a directory, so decisions are not logged", "move it away")
	case st != nil && st.Mode().Perm()&0o077 != 0:
		d.add("state", report.Warn, fmt.Sprintf("others can open %s (mode %04o)", dir, st.Mode().Perm()), "chmod 700 '"+dir+"'")
	default:
		d.add("state", report.OK, dir+stateUnmoved(dir), "")
	}
	log := filepath.Join(dir, decision.FileName)
	if st, err := os.Lstat(log); err == nil && st.Mode().Perm()&0o077 != 0 {
		d.add("log", report.Warn, fmt.Sprintf("others can open %s (mode %04o)", log, st.Mode().Perm()), "chmod 600 '"+log+"'")
	}
}

// stateUnmoved tells whoever set XDG_STATE_HOME why it does not count.
func stateUnmoved(dir string) string {
	if base := os.Getenv("XDG_STATE_HOME"); base != "" && filepath.Join(base, "ocjail") != dir {
		return " (whatever XDG_STATE_HOME says: a project's .env could set it)"
	}
	return ""
}

// ruleCache looks at what is kept of users' rules, without making anything.
func (d *doctor) ruleCache() {
	place := checker.CacheOf(d.facts)
	for _, path := range []string{place.Dir(), place.KeyFile()} {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			d.add("rules' cache", report.OK, "none yet: "+place.Dir(), "")
			return
		}
	}
	c, err := cache.Open(place)
	if err == nil {
		err = c.Close()
	}
	if err != nil {
		d.add("rules' cache", report.Warn, "not used, so rules in WebAssembly are compiled at each launch", err.Error())
		return
	}
	d.add("rules' cache", report.OK, place.Dir(), "")
}

// kernel explains what the trial jail shows, and tells what is missing beyond it.
func (d *doctor) kernel() {
	d.userNamespaces()
	d.appArmor()
	switch abi := d.facts.Landlock; {
	case abi == nil || *abi == 0:
		d.add("landlock", report.Warn, "none: with a shared network the jail reaches abstract Unix sockets of the host", "use a kernel with Landlock, 6.12 or later")
	case *abi < 6:
		d.add("landlock", report.Warn, fmt.Sprintf("ABI %d: with a shared network the jail reaches abstract Unix sockets of the host", *abi), "use Linux 6.12 or later, which has ABI 6")
	default:
		d.add("landlock", report.OK, fmt.Sprintf("ABI %d", *abi), "")
	}
	legacy := d.facts.LegacyTIOCSTI
	switch {
	case legacy != nil && !*legacy:
		d.add("terminal", report.OK, "the kernel refuses TIOCSTI (dev.tty.legacy_tiocsti = 0)", "")
	case gate.CanFilter():
		d.add("terminal", report.OK, "the kernel may allow TIOCSTI; a seccomp filter keeps it from the jail", "")
	default:
		d.add("terminal", report.Warn, "the kernel allows TIOCSTI, and there is no seccomp filter for this processor", "sysctl -w dev.tty.legacy_tiocsti=0, or new_session = true in the profile")
	}
}

func (d *doctor) userNamespaces() {
	allowed := d.facts.UserNS
	switch {
	case allowed == nil && d.facts.Unknown["user_namespaces"] != nil:
		d.add("user namespaces", report.Warn, d.facts.Unknown["user_namespaces"].Error(), "see whether the trial jail works")
	case allowed != nil && !*allowed:
		d.sign("user namespaces", "forbidden to you by a sysctl", allowUserNamespaces)
	case allowed != nil:
		d.add("user namespaces", report.OK, "allowed by the sysctls", "")
	}
}

const allowUserNamespaces = "sudo sysctl -w user.max_user_namespaces=15000; where it exists, sudo sysctl -w kernel.unprivileged_userns_clone=1"

// appArmorProfile installs a profile that lets BWRAP make user namespaces, in
// AppArmor 4's language (apparmor.d(5)).
const appArmorProfile = `printf 'abi <abi/4.0>,\ninclude <tunables/global>\nprofile bwrap BWRAP flags=(unconfined) {\n  userns,\n}\n' ` +
	`| sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap`

// appArmor: Ubuntu 23.10 and later.
func (d *doctor) appArmor() {
	restricted, profile := d.facts.AppArmorUserNS, d.facts.AppArmorBwrap
	switch {
	case restricted == nil || !*restricted:
		return
	case profile != nil && *profile:
		d.add("apparmor", report.OK, "restricts user namespaces, and has a profile for bwrap", "")
	case d.facts.UID == 0:
		d.add("apparmor", report.OK, "restricts user namespaces, but not root's", "")
	default:
		d.sign("apparmor", "takes the rights of user namespaces from programs without a profile, and there is none for bwrap",
			strings.ReplaceAll(appArmorProfile, "BWRAP", d.bwrapPath()))
	}
}

func (d *doctor) bwrapPath() string {
	if d.bwrap == nil {
		return "/usr/bin/bwrap"
	}
	return d.bwrap.Path
}
