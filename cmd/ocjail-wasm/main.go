// Command ocjail-wasm judges for ocjail by rules that are all in WebAssembly, without
// OPA, so that it starts in a third of the time that ocjail-rules takes. It says which
// rules need that one. People start ocjail, which starts this.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/refnil/opencode-jail-devenv/checker/engine/judge"
	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
)

func main() {
	debug.SetGCPercent(400) // modules are loaded once and inputs are small
	debug.SetMemoryLimit(512 << 20)
	err := errors.New(worker.WASM + " is started by ocjail: see ocjail --help")
	if len(os.Args) == 2 && os.Args[1] == "judge" {
		err = judge.Means{Functions: plan.Function}.Serve(context.Background(), os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err) // ocjail reads it, and shows it to people
		os.Exit(brokenStatus)
	}
}

// brokenStatus is the exit status of errors, as ocjail's.
const brokenStatus = 2
