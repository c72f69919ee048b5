// Command generate writes what launches read of the rule pack, into the folder
// policy, in which it is to be run: the compiled rules, and the list of watched paths.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/refnil/opencode-jail-devenv/checker/engine/planner"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func write() error {
	list, err := watched()
	if err == nil {
		err = os.WriteFile("watched.go", list, 0o644)
	}
	if err != nil {
		return fmt.Errorf("data/watched.json: %w", err)
	}
	pack, err := planner.Pack(context.Background())
	if err != nil {
		return err
	}
	return os.WriteFile("pack.plan", pack, 0o644)
}
