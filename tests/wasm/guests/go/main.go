// Command no-network is a rule for ocjail: GOOS=wasip1 GOARCH=wasm go build.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type finding struct {
	Message string            `json:"message"`
	Subject map[string]string `json:"subject"`
}

func main() {
	var input struct {
		Jail struct{ Namespaces map[string]string }
	}
	if err := json.NewDecoder(os.Stdin).Decode(&input); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	found := []finding{}
	if input.Jail.Namespaces["net"] == "shared" {
		found = append(found, finding{"the jail shares the host's network", map[string]string{"kind": "namespace", "name": "net"}})
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		os.Exit(1)
	}
}
