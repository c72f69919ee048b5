// Command show runs the real opencode without a jail and under ocjail, and
// prints act by act what came of it. It exits 1 when an act did not end as
// promised, 2 when a session could not be run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/term"

	"github.com/refnil/opencode-jail-devenv/tests/agent"
)

func main() {
	os.Exit(run())
}

func run() int {
	ocjail := flag.String("ocjail", "bin/ocjail", "the ocjail to try")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	rows, err := sessions(ctx, *ocjail)
	if err != nil {
		fmt.Fprintln(os.Stderr, "show:", err)
		return 2
	}
	if !printTable(os.Stdout, rows) {
		return 1
	}
	return 0
}

// sessions runs the acts both ways.
func sessions(ctx context.Context, ocjail string) (rows []row, err error) {
	dir, err := os.MkdirTemp("", "ocjail-show-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	tools, err := agent.FindTools(".", dir, ocjail)
	if err != nil {
		return nil, err
	}
	without, err := session(ctx, tools, false)
	if err != nil {
		return nil, err
	}
	with, err := session(ctx, tools, true)
	if err != nil {
		return nil, err
	}
	for i := range without {
		rows = append(rows, row{without[i], with[i]})
	}
	return rows, nil
}

// session runs the acts one way, with a progress line on standard error.
func session(ctx context.Context, tools agent.Tools, jailed bool) ([]agent.Result, error) {
	how := "without a jail"
	if jailed {
		how = "under ocjail"
	}
	terminal := term.IsTerminal(int(os.Stderr.Fd()))
	if !terminal {
		fmt.Fprintf(os.Stderr, "opencode %s …\n", how)
	}
	acts := agent.Acts()
	progress := func(done int) {
		if !terminal {
			return
		}
		fmt.Fprint(os.Stderr, "\r\x1b[K") // back, and clear the line
		if done < len(acts) {
			fmt.Fprintf(os.Stderr, "opencode %s: %d of %d, %s …", how, done+1, len(acts), acts[done].Name)
		}
	}
	progress(0)
	defer progress(len(acts))
	return agent.Run(ctx, tools, jailed, func(turn int) { progress(turn + 1) })
}
