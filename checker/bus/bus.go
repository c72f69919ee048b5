// Package bus knows xdg-dbus-proxy, which stands between a jail and the session
// bus of D-Bus: what one lets through, and whether it is one that listens at a
// socket.
package bus

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Proxy is an xdg-dbus-proxy that serves one bus.
type Proxy struct {
	Address string // of the bus
	Socket  string // that it listens at, absolute
	// Filter is unset where it passes everything on.
	Filter bool
	Names  []Name
}

// Name is one of the names that a filtering proxy opens.
type Name struct {
	Policy string // "see", "talk", "own", "call" or "broadcast", as in xdg-dbus-proxy(1)
	Name   string // on the bus; "a.b.*" stands for a.b and all below it
}

// policies are the options that open a name, and whether a rule must follow it.
var policies = map[string]bool{"see": false, "talk": false, "own": false, "call": true, "broadcast": true}

// plain are the options that open nothing.
var plain = []string{"--log", "--sloppy-names"}

// Parse reads the arguments of xdg-dbus-proxy(1), without its own name: ADDRESS,
// SOCKET and what is let through. One that serves two buses, or reads arguments
// from a descriptor, is an error, for it can not be judged.
func Parse(args []string) (Proxy, error) {
	var p Proxy
	var operands []string
	for _, a := range args {
		switch {
		case !strings.HasPrefix(a, "--"):
			operands = append(operands, a)
		case strings.HasPrefix(a, "--fd="), slices.Contains(plain, a):
		case len(operands) == 2 && a == "--filter":
			p.Filter = true
		case len(operands) == 2:
			n, err := parseName(a)
			if err != nil {
				return p, err
			}
			p.Names = append(p.Names, n)
		default:
			return p, fmt.Errorf("xdg-dbus-proxy %s: what it lets through then can not be judged", a)
		}
	}
	if len(operands) != 2 || !path.IsAbs(operands[1]) {
		return p, fmt.Errorf("xdg-dbus-proxy with %d operands: it must serve one bus at one absolute path to be judged", len(operands))
	}
	p.Address, p.Socket = operands[0], operands[1]
	return p, nil
}

// parseName reads --POLICY=NAME and --POLICY=NAME=RULE.
func parseName(option string) (Name, error) {
	policy, value, _ := strings.Cut(strings.TrimPrefix(option, "--"), "=")
	ruled, known := policies[policy]
	if !known {
		return Name{}, fmt.Errorf("xdg-dbus-proxy %s: what it lets through then can not be judged", option)
	}
	rule := "*"
	if ruled {
		value, rule, _ = strings.Cut(value, "=")
	}
	if value == "" || rule == "" {
		return Name{}, fmt.Errorf("xdg-dbus-proxy %s: lacks a name or a rule", option)
	}
	return Name{Policy: policy, Name: value}, nil
}

// SocketOf returns the socket's path in an address of D-Bus, or "" for one that
// is no single path.
func SocketOf(address string) string {
	p, ok := strings.CutPrefix(address, "unix:path=")
	p, _, _ = strings.Cut(p, ",") // its guid
	if !ok || strings.ContainsAny(p, ";%") {
		return ""
	}
	return p
}
