//go:build linux && !nojail

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
)

// refreshEvery is how old what was fetched gets before a launch has it fetched again,
// and how often that is tried.
const refreshEvery = time.Hour

// refresher has bundles fetched again that ask for it, by a process that this one does
// not wait for.
type refresher struct {
	at       checker.Where
	policies []config.Policy
	started  sync.WaitGroup
}

func newRefresher(m *machine) *refresher {
	return &refresher{at: checker.Where{Home: m.facts.Home, Project: m.facts.ProjectRoot}, policies: m.config.Policies}
}

// due are the bundles that were not fetched for a while.
func (r *refresher) due(now time.Time) (orders []store.Order) {
	for i := range r.policies {
		p := &r.policies[i]
		if p.Remote == nil || !p.Remote.Background || now.Sub(p.Remote.Fetched) < refreshEvery && !p.Remote.Fetched.After(now) {
			continue
		}
		o := store.Order{Source: p.Remote.String()}
		for _, k := range p.Keys {
			o.Keys = append(o.Keys, r.at.File(k))
		}
		if p.Locked != nil {
			o.Digest = p.Locked.Digest
		}
		if p.Remote.TokenFile != "" {
			o.Token = r.at.File(p.Remote.TokenFile)
		}
		orders = append(orders, o)
	}
	return orders
}

// begin is called with the jail running, on the thread that has given up rights for it
// (Landlock), which what it starts elsewhere keeps.
func (r *refresher) begin() {
	now := time.Now()
	if orders := r.due(now); len(orders) > 0 {
		r.started.Go(func() {
			// The bundle that is kept serves on, and its age is told when it matters.
			_ = r.start(orders, now)
		})
	}
}

// wait makes sure that what was begun is under way, which takes the time of a fork.
func (r *refresher) wait() { r.started.Wait() }

func (r *refresher) start(orders []store.Order, now time.Time) error {
	in := store.User(r.at.Home)
	claim, err := in.Claim(now, refreshEvery)
	if err != nil || claim == nil {
		return err
	}
	defer claim.Close()
	program, err := worker.Program()
	if err != nil {
		return err
	}
	text, err := json.Marshal(orders)
	if err != nil {
		return err
	}
	// No descriptor but the claim's, which tells that it runs; the standard ones are
	// /dev/null. No terminal, and no signal of this session's.
	child := &exec.Cmd{
		Path: program, Args: []string{worker.Name, "bundle-refresh", "-build=" + worker.Identity().String(), "-store=" + in.Dir, "-root=" + in.Root, "--", string(text)},
		Env: quiet(r.at.Home), Dir: "/", ExtraFiles: []*os.File{claim}, SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := child.Start(); err != nil {
		return err
	}
	go func() { _ = child.Wait() }() // how it ended is in what it reports
	return nil
}
