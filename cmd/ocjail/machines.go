package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"sync"

	"github.com/refnil/opencode-jail-devenv/checker/host"
)

// machines keeps what the targets of one lint have in common: the facts, the
// configuration and, with it, the rules, so that a program that judges by further
// rules is started once. A manifest brings options of its own, for which there is
// another machine.
type machines struct {
	flags   *jailFlags
	project func() (string, error)
	opens   chan func() // done by the thread

	mu    sync.Mutex
	byKey map[string]*shared
	clock int
}

// shared is a machine and who uses it.
type shared struct {
	ready   chan struct{} // closed when it is open
	machine *machine
	err     error
	fs      *host.FS
	users   int
	uses    int
	last    int // when it was last used, by the clock
	gone    bool
}

const (
	// mostMachines bounds those that are kept while nobody uses them.
	mostMachines = 4
	// mostUses bounds what is remembered of the file system.
	mostUses = 200
)

func newMachines(f *jailFlags) *machines {
	m := &machines{flags: f, project: sync.OnceValues(f.lookForProject), opens: make(chan func()), byKey: map[string]*shared{}}
	go m.thread()
	return m
}

// thread opens machines on a thread that lasts as long as this process: a program
// that judges ends with the one that started it.
func (m *machines) thread() {
	runtime.LockOSThread()
	for open := range m.opens {
		open()
	}
	select {}
}

func (m *machines) open(o opening) (*machine, error) {
	key, err := json.Marshal(o.options)
	if err != nil {
		return nil, fmt.Errorf("the manifest's options: %w", err)
	}
	s, isNew := m.take(fmt.Sprintf("%q %v %s", o.project, o.bwrap, key))
	if isNew {
		m.opens <- func() {
			s.machine, s.err = m.flags.openNew(o)
			close(s.ready)
		}
	}
	<-s.ready
	if s.err != nil {
		m.give(s)
		return nil, s.err
	}
	own := *s.machine // a target adds what is its own
	own.fs = m.view(s)
	own.release = sync.OnceFunc(func() { m.give(s) })
	own.renew = func() { m.forget(s) }
	return &own, nil
}

// take returns the machine of that key, which has one user more then.
func (m *machines) take(key string) (s *shared, isNew bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock++
	s = m.byKey[key]
	if s == nil {
		m.makeRoom()
		s, isNew = &shared{ready: make(chan struct{})}, true
		m.byKey[key] = s
	}
	s.users++
	s.last = m.clock
	return s, isNew
}

// view is what s has seen of the file system so far, or, now and then, nothing.
func (m *machines) view(s *shared) *host.FS {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.uses%mostUses == 0 {
		s.fs = s.machine.newFS()
	}
	s.uses++
	return s.fs
}

func (m *machines) give(s *shared) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.users--
	if s.gone && s.users == 0 {
		s.close()
	}
}

// forget keeps s from being used again.
func (m *machines) forget(s *shared) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.byKey, func(_ string, other *shared) bool { return other == s })
	s.gone = true
}

// makeRoom closes the machine that nobody has used for longest.
func (m *machines) makeRoom() {
	if len(m.byKey) < mostMachines {
		return
	}
	oldest := ""
	for key, s := range m.byKey {
		if s.users == 0 && (oldest == "" || s.last < m.byKey[oldest].last) {
			oldest = key
		}
	}
	if oldest != "" {
		m.byKey[oldest].close()
		delete(m.byKey, oldest)
	}
}

// close ends the program that judges, if there is one.
func (s *shared) close() {
	<-s.ready
	if s.err != nil {
		return
	}
	if rules, err := s.machine.rules(); err == nil {
		rules.Close()
	}
}

func (m *machines) close() {
	close(m.opens)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.byKey {
		if s.users == 0 {
			s.close()
		}
	}
}
