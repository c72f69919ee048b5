// Command generate compiles the embedded rule pack into the file that it is given.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/refnil/opencode-jail-devenv/checker/engine/planner"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate FILE")
		os.Exit(2)
	}
	pack, err := planner.Pack(context.Background())
	if err == nil {
		err = os.WriteFile(os.Args[1], pack, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
