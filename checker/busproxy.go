package checker

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/refnil/opencode-jail-devenv/checker/bus"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
)

// BusAddress names the session bus to its clients (dbus-daemon(1)).
const BusAddress = "DBUS_SESSION_BUS_ADDRESS"

// BusProxy is a trusted xdg-dbus-proxy.
type BusProxy struct {
	bus.Proxy
	Command   bool   // the jail is the proxy's own
	Directory string // of the socket, if nothing but sockets and pipes is there, else ""
}

// busProxy finds the trusted proxy of this jail. What a proxy's arguments say is
// taken from the running process, never from the jail that is told to use it.
func (j *Jail) busProxy() (*BusProxy, error) {
	if j.Phase == Lint {
		return j.plannedBusProxy(), nil
	}
	if j.BusProxy == "" {
		return nil, nil
	}
	p, err := j.ownBusProxy()
	if p == nil && err == nil {
		p, err = j.usedBusProxy()
	}
	if p == nil || err != nil {
		return nil, err
	}
	alone, err := bus.OnlySockets(path.Dir(p.Socket))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the directory of the bus proxy's socket: %w", err)
	}
	if alone {
		p.Directory = path.Dir(p.Socket)
	}
	return p, nil
}

// plannedBusProxy is the proxy that the manifest says the jail will use; its
// socket is made when the jail starts.
func (j *Jail) plannedBusProxy() *BusProxy {
	if j.Manifest == nil || len(j.Manifest.BusNames()) == 0 {
		return nil
	}
	return &BusProxy{Proxy: bus.Proxy{Socket: manifest.Undecided + "bus", Filter: true, Names: j.Manifest.BusNames()}}
}

// ownBusProxy is the proxy that the jail's command is.
func (j *Jail) ownBusProxy() (*BusProxy, error) {
	at, err := j.Tree.Access(j.Sandbox.Command[0])
	if err != nil || at.Host == "" || !at.Exists {
		return nil, nil // a command that is not there is somebody else's error
	}
	same, err := bus.Same(at.Host, j.BusProxy)
	if err != nil {
		return nil, fmt.Errorf("compare %s with the trusted bus proxy %s: %w", at.Host, j.BusProxy, err)
	}
	if !same {
		return nil, nil
	}
	p, err := bus.Parse(j.Sandbox.Command[1:])
	if err != nil {
		return nil, err
	}
	at, err = j.Tree.Access(path.Dir(p.Socket))
	if err != nil || at.Host == "" {
		return nil, err
	}
	p.Socket = path.Join(at.Host, path.Base(p.Socket))
	return &BusProxy{Proxy: p, Command: true}, nil
}

// usedBusProxy is the proxy that the jail's environment leads to.
func (j *Jail) usedBusProxy() (*BusProxy, error) {
	socket := ""
	for _, v := range j.Sandbox.Environment(j.Environ) {
		if v.Name == BusAddress {
			socket = bus.SocketOf(v.Value)
		}
	}
	if !path.IsAbs(socket) {
		return nil, nil
	}
	at, err := j.Tree.Access(socket)
	if err != nil || at.Host == "" || !at.Exists {
		return nil, nil // there is no such socket in the jail
	}
	p, err := bus.Peer(at.Host, j.BusProxy)
	if err != nil || p == nil {
		return nil, err
	}
	return &BusProxy{Proxy: *p}, nil
}

func (b *inputBuilder) busProxies() []InputBusProxy {
	list := []InputBusProxy{}
	if b.Bus == nil {
		return list
	}
	in := InputBusProxy{Command: b.Bus.Command, Socket: b.Bus.Socket, Directory: b.Bus.Directory, Filter: b.Bus.Filter, Names: []InputBusName{}}
	for _, n := range b.Bus.Names {
		in.Names = append(in.Names, InputBusName{Policy: n.Policy, Name: n.Name})
	}
	return append(list, in)
}
