package inmate

import (
	"github.com/refnil/opencode-jail-devenv/checker/notation"
)

// notationOf reads Description.Written.
func (d *Description) notationOf() notation.Notation {
	for n, word := range written {
		if word == d.Written {
			return n
		}
	}
	return notation.Bwrap
}

// where says to what a piece of the jail is added.
var where = map[notation.Notation]string{
	notation.Add:   "start the session with ",
	notation.Nix:   "add to programs.opencode.jailCombinators in devenv.nix, and enter the devenv shell again: ",
	notation.Bwrap: "start it with bwrap's ",
}

func (d *Description) request(words ...string) string {
	n := d.notationOf()
	return where[n] + notation.Line(words, n)
}

// AskWrite is what the person who started the jail would do to have p written.
func (d *Description) AskWrite(p string) string { return d.request("--bind", p, p) }

// AskRead is what they would do to have p of the host read.
func (d *Description) AskRead(p string) string { return d.request("--ro-bind", p, p) }

// AskVariable is what they would do to pass a variable.
func (d *Description) AskVariable(name string) string {
	switch n := d.notationOf(); n {
	case notation.Add:
		return where[n] + "--add 'fwd-env " + name + "'"
	case notation.Nix:
		return where[n] + "(try-fwd-env \"" + name + "\")"
	}
	return d.request("--setenv", name, "VALUE")
}

// AskNetwork is what they would do to let it connect.
func (d *Description) AskNetwork() string {
	switch n := d.notationOf(); n {
	case notation.Add:
		return where[n] + "--add network"
	case notation.Nix:
		return where[n] + "network"
	default:
		return where[n] + "--share-net"
	}
}
