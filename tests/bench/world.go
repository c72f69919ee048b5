package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// defaultArgv is what a gate in bwrap's place received from jail.nix for the
// Nix module's default options, with every source below {world}.
//
//go:embed testdata/default-argv.json
var defaultArgv []byte

// nixArgv returns that argv, the content of its --args descriptor in place, with the
// sources, which it makes: the project and the home below world, and what belongs to the
// system (the Nix store, /etc) apart from them, in system, as no agent can write it.
func nixArgv(world, system, payload string) ([]string, error) {
	var saved struct{ Options, Args []string }
	if err := json.Unmarshal(defaultArgv, &saved); err != nil {
		return nil, fmt.Errorf("testdata/default-argv.json: %w", err)
	}
	var words []string
	for i := 0; i < len(saved.Options); i++ {
		if saved.Options[i] == "--args" {
			words = append(words, saved.Args...)
			i++
			continue
		}
		words = append(words, saved.Options[i])
	}
	for i, w := range words {
		w = strings.ReplaceAll(w, "{world}/home", world+"/home")
		words[i] = strings.ReplaceAll(w, "{world}", system)
	}
	for i, w := range words {
		if strings.HasPrefix(w, "--") && strings.Contains(w, "bind") {
			if err := makeSource(words[i+1], payload); err != nil {
				return nil, err
			}
		}
	}
	return words, nil
}

// makeSource makes a bind's source: a directory, or the payload where the path
// names a program or a file.
func makeSource(path, payload string) error {
	name := filepath.Base(path)
	isFile := strings.Contains(path, "/bin/") || strings.Contains(path, "/host/") || strings.Contains(path, "/jail.nix/") || strings.Contains(path, "hostname")
	if !isFile || name == "resolve" {
		return os.MkdirAll(path, 0o700)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	data, err := os.ReadFile(payload)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o700)
}
