package main

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// swap renames A and B over each other, again and again, until its standard input
// ends. Between two turns at most PAUSE passes.
func swap(args []string) error {
	if len(args) < 3 || len(args)%2 == 0 {
		return errors.New("swap PAUSE A B…")
	}
	pause, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	args = args[1:]
	var stop atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // an error ends it as well
		stop.Store(true)
	}()
	for !stop.Load() {
		for i := 0; i < len(args); i += 2 {
			if err := unix.Renameat2(unix.AT_FDCWD, args[i], unix.AT_FDCWD, args[i+1], unix.RENAME_EXCHANGE); err != nil {
				return err
			}
		}
		time.Sleep(time.Duration(rand.Int64N(int64(pause))))
	}
	return nil
}
