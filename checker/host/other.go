//go:build !linux || nojail

package host

import (
	"errors"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const noAutomount = 0

// selfID: without Linux there is no bwrap that this program could be.
func selfID() (sandbox.ID, error) { return sandbox.ID{}, ErrNoBwrap }

func askListening() ([]int, error) { return nil, errors.New("sock_diag needs Linux") }

func askLandlock() *int { return nil }

// withoutACL: what other systems let a group do, nothing here knows.
func withoutACL(string) (bool, error) { return false, nil }
