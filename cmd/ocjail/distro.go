//go:build linux && !nojail

package main

import (
	"bufio"
	"os"
	"strings"
)

// packageManagers say how to install a program, by the ID of os-release(5), with
// the package's name at %s.
var packageManagers = map[string]string{
	"debian": "apt-get install %s", "ubuntu": "apt-get install %s",
	"fedora": "dnf install %s", "rhel": "dnf install %s",
	"arch": "pacman -S %s", "alpine": "apk add %s",
	"opensuse": "zypper install %s", "suse": "zypper install %s",
	"nixos": "nix profile install nixpkgs#%s", "gentoo": "emerge %s", "void": "xbps-install %s",
}

// distribution returns the first ID, or ID_LIKE, that packageManagers knows, from
// the first of files that can be read; "" when there is none.
func distribution(files ...string) string {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		defer f.Close()
		var ids []string
		for lines := bufio.NewScanner(f); lines.Scan(); {
			key, value, _ := strings.Cut(lines.Text(), "=")
			words := strings.Fields(strings.Trim(value, `"'`))
			switch key {
			case "ID":
				ids = append(words, ids...)
			case "ID_LIKE":
				ids = append(ids, words...)
			}
		}
		for _, id := range ids {
			if packageManagers[id] != "" {
				return id
			}
		}
		return ""
	}
	return ""
}

// install is the command that installs a package here.
func (d *doctor) install(pkg string) string {
	if manager := packageManagers[d.distro]; manager != "" {
		return strings.ReplaceAll(manager, "%s", pkg)
	}
	return "install " + pkg + " with your package manager"
}
