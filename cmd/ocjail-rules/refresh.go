package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/remote"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
	"github.com/refnil/opencode-jail-devenv/checker/release"
)

// refreshLimit bounds a refresh, and what it started, whatever hangs.
const refreshLimit = 3 * time.Minute

var errRefreshed = errors.New("the sources before it took all the time that there is: have a timer run ocjail bundle pull")

// refreshBundles fetches what a launch found to be due, and runs by itself, in a session
// of its own: nobody waits for it, and it writes nothing but what is kept and what came
// of it. That no other runs at once the file vouches for that it was handed.
func refreshBundles(words []string, _ io.Writer) error {
	flags := flag.NewFlagSet("bundle-refresh", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	ofBuild := flags.String("build", "", "")
	var in store.Store
	flags.StringVar(&in.Dir, "store", "", "")
	flags.StringVar(&in.Root, "root", "", "")
	if err := flags.Parse(words); err != nil {
		return err
	}
	r := store.Refresh{Began: time.Now().UTC()}
	var orders []store.Order
	err := sameBuild(*ofBuild)
	if err == nil {
		err = humble()
	}
	if err == nil {
		err = json.Unmarshal([]byte(flags.Arg(0)), &orders)
	}
	if err != nil {
		r.Sources = append(r.Sources, store.Refreshed{Error: err.Error()})
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), refreshLimit-time.Minute, errRefreshed)
	defer cancel()
	for _, o := range orders {
		got := store.Refreshed{Source: o.Source}
		if p, err := fetchAgain(ctx, in, o); err != nil {
			got.Error = err.Error()
		} else {
			got.Revision = p.Revision
		}
		r.Sources = append(r.Sources, got)
	}
	r.Ended = time.Now().UTC()
	return in.Report(r)
}

func fetchAgain(ctx context.Context, in store.Store, o store.Order) (*remote.Pulled, error) {
	order := remote.Order{Store: in, Digest: o.Digest}
	client := &remote.Client{Version: release.Version}
	var err error
	if order.Source, err = bundle.ParseSource(o.Source); err != nil {
		return nil, err
	}
	if client.Token, err = readToken(o.Token); err != nil {
		return nil, err
	}
	if order.Keys, err = readPublicKeys(o.Keys); err != nil {
		return nil, err
	}
	return client.Pull(ctx, order, time.Now())
}

// humble sees to it that this process ends, alone, and is in nobody's way.
func humble() error {
	limits := map[int]uint64{unix.RLIMIT_CPU: 60, unix.RLIMIT_FSIZE: 4 * bundle.MaxArchive, unix.RLIMIT_NOFILE: 256, unix.RLIMIT_CORE: 0}
	for resource, limit := range limits {
		var now unix.Rlimit
		if err := unix.Getrlimit(resource, &now); err != nil {
			return err
		}
		limit = min(limit, now.Max)
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			return err
		}
	}
	unix.CloseOnExec(store.ClaimDescriptor)        // or a helper that hangs would keep it
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 10) // else it is as quick as others
	if pid := os.Getpid(); unix.Getpgrp() == pid {
		time.AfterFunc(refreshLimit, func() { _ = unix.Kill(-pid, unix.SIGKILL) }) // with helpers that it started
	}
	return nil
}
