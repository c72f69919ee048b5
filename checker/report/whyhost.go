package report

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/notation"
)

// WhyHost says whether a jail can connect to a port: the JSON form of `ocjail why
// HOST:PORT`. No name is looked up, and nothing is connected to.
type WhyHost struct {
	Version   int    `json:"version"` // 1
	Kind      string `json:"kind"`    // "host"
	Target    string `json:"target"`
	Host      string `json:"host"` // as asked
	Port      int    `json:"port"`
	Reachable bool   `json:"reachable"` // as far as namespaces decide it
	Network   string `json:"network"`   // "shared", "unshared" or "try", as in View
	Loopback  bool   `json:"loopback"`  // the host is this machine itself
	// Listening: something of this machine answers at the port; null where that is
	// not asked (the address is another machine's, the network the jail's own) or
	// could not be had.
	Listening *bool `json:"listening"`
	// Abstract: the host's abstract Unix sockets belong to the same network
	// namespace. A launch forbids them by Landlock, from ABI 6 (Linux 6.12).
	Abstract bool   `json:"abstract"`
	Cause    Cause  `json:"cause"` // the option that decided; empty where none is there
	Close    string `json:"close"` // what would close it; "" when it is
	Open     string `json:"open"`  // what would open it; "" when it is
}

// NewWhyHost asks j about a port of host, a name or an address.
func NewWhyHost(j *checker.Jail, host string, port int) *WhyHost {
	ns := j.Sandbox.Namespaces()["net"]
	w := &WhyHost{Version: 1, Kind: "host", Target: j.Name, Host: host, Port: port, Network: ns, Reachable: ns != "unshared", Loopback: isLoopback(host)}
	w.Abstract = w.Reachable
	option := -1
	for i, o := range j.Sandbox.Options {
		if slices.Contains([]string{"--share-net", "--unshare-net", "--unshare-all"}, o.Name) {
			option = i
		}
	}
	w.Cause = cause(j, option)
	form := j.Notation()
	if !w.Reachable {
		w.Open = map[notation.Notation]string{notation.Add: "--add network", notation.Nix: "the combinator network", notation.Bwrap: "--share-net"}[form]
		w.Open += ", which opens every address and port"
		return w
	}
	w.Close = map[notation.Notation]string{notation.Add: "--add no-network", notation.Nix: "leave out the combinator network", notation.Bwrap: "--unshare-net"}[form]
	w.Close += "; a single port can not be closed, for that takes a firewall"
	if ports, err := j.FS.Listening(); err == nil && w.Loopback {
		open := slices.Contains(ports, port)
		w.Listening = &open
	}
	return w
}

// isLoopback tells whether an address leads to the machine itself (RFC 6761; the
// unspecified address does too on Linux, ip(7)).
func isLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsLoopback() || ip.IsUnspecified() || ownAddress(ip)
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "" || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// ownAddress tells whether ip is an address of one of this machine's interfaces.
func ownAddress(ip netip.Addr) bool {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return false // then it is said to be another machine's, and as reachable
	}
	return slices.ContainsFunc(addresses, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == ip.WithZone("")
	})
}

// Text writes w for people.
func (w *WhyHost) Text(out io.Writer, s Style) error {
	p := &printer{w: out, style: s}
	what := fmt.Sprintf("%s port %d", Escape(w.Host), w.Port)
	if w.Host == "" {
		what = fmt.Sprintf("port %d of this machine", w.Port)
	}
	target := Escape(w.Target)
	if !w.Reachable {
		p.line("the jail %s %s %s: its network is its own, with nothing in it but a loopback", target, s.paint(green, "can not reach"), what)
	} else {
		p.line("the jail %s %s %s: it shares the host's network", target, s.paint(yellow, "can connect to"), what)
	}
	if w.Cause.Option != "" {
		p.section("   option", w.Cause.Option)
	} else if w.Reachable {
		p.section("   option", "none: nothing gives it a network of its own")
	}
	p.because(w.Cause)
	if w.Reachable {
		p.section("   there", w.there())
		p.section("   abstract", "the host's abstract Unix sockets are in that network too; a launch forbids them by Landlock where the kernel can (Linux 6.12)")
		p.section("   close", w.Close)
	} else {
		p.section("   open", w.Open)
	}
	return p.err
}

// there says what is known of the other end.
func (w *WhyHost) there() string {
	switch {
	case !w.Loopback:
		return "whatever this machine can reach; the name was not looked up, and a firewall may forbid it"
	case w.Listening == nil:
		return "this machine's services; which listen could not be had"
	case *w.Listening:
		return "a service of this machine listens there now"
	}
	return "no service of this machine listens there now; one that starts later is reachable"
}

// Reached tells whether the jail can connect.
func (w *WhyHost) Reached() bool { return w.Reachable }
