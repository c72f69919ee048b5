package profile

import (
	"errors"
	"io/fs"
	"path"
)

// systemPath is a path of the host that programs expect in every jail.
type systemPath struct {
	path    string
	network bool // only of use with a network
}

// systemPaths is what `system = true` binds read-only where the host has it.
// Never a folder that holds keys: of /etc/ssl and /etc/pki only the parts with
// certificates, for /etc/ssl/private and /etc/pki/tls/private are readable by
// root and by group ssl-cert. Never /nix/var, where the daemon's socket is.
// What others link into comes first: see build.system.
var systemPaths = []systemPath{
	{path: "/usr"},
	{path: "/nix/store"},
	{path: "/bin"},
	{path: "/sbin"},
	{path: "/lib"},
	{path: "/lib32"},
	{path: "/lib64"},
	{path: "/libx32"},
	{path: "/etc/static"},              // NixOS: /etc is links into it
	{path: "/run/current-system"},      // NixOS: programs
	{path: "/etc/alternatives"},        // Debian: targets of links in /usr/bin
	{path: "/etc/ld.so.cache"},         // ld.so(8)
	{path: "/etc/ld.so.conf"},          //
	{path: "/etc/ld.so.conf.d"},        //
	{path: "/etc/passwd"},              // names for ids
	{path: "/etc/group"},               //
	{path: "/etc/nsswitch.conf"},       // nsswitch.conf(5)
	{path: "/etc/os-release"},          // os-release(5)
	{path: "/etc/terminfo"},            // terminfo(5)
	{path: "/etc/gitconfig"},           // git-config(1), the system's scope
	{path: "/etc/opencode"},            // an organisation's managed settings: without them its denials become allowances
	{path: "/etc/ca-certificates"},     // Arch: targets of links in /etc/ssl/certs
	{path: "/etc/pki/ca-trust"},        // Fedora: targets of links in /etc/pki/tls
	{path: "/etc/pki/tls/certs"},       //
	{path: "/etc/pki/tls/cert.pem"},    //
	{path: "/etc/pki/tls/openssl.cnf"}, //
	{path: "/etc/crypto-policies"},     // Fedora: included by openssl.cnf
	{path: "/etc/ssl/certs"},           //
	{path: "/etc/ssl/cert.pem"},        //
	{path: "/etc/ssl/openssl.cnf"},     //
	{path: "/etc/hosts", network: true},
	{path: "/etc/host.conf", network: true},
	{path: "/etc/gai.conf", network: true},
	{path: "/etc/resolv.conf", network: true}, // often a link into /run
	{path: "/etc/services", network: true},
	{path: "/etc/protocols", network: true},
}

// timezonePaths is what `timezone = true` adds; programs read the zone's name
// from the link /etc/localtime (localtime(5)), so it stays one where it can.
var timezonePaths = []string{"/etc/localtime", "/etc/timezone"}

// hostPath adds p read-only when the host has it. A link whose target is in the
// jail by the same path stays a link (/lib64 -> usr/lib64 on merged-/usr
// hosts); of another its target is bound in its place.
func (b *build) hostPath(p, origin string) error {
	real, links, err := b.host.resolve(p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // absent, or a dangling link: of no use inside either
	}
	if err != nil {
		return err
	}
	if n := len(links); n > 0 && links[0] == p && b.mounts.showsAll(real, links[1:]) {
		target, err := b.host.FS.ReadLink(fsName(p))
		if err != nil {
			return err
		}
		b.add(mount{origin: origin, option: "--symlink", source: target, dest: path.Clean(p)})
		return nil
	}
	b.add(mount{origin: origin, option: "--ro-bind", source: real, dest: p})
	return nil
}
