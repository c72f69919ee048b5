//go:build linux && !nojail

package main

import (
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// clock prints how long each step took, from the start of the process on.
type clock struct {
	w    io.Writer
	last time.Time
}

func newClock(w io.Writer) *clock {
	c := &clock{w: w, last: processStart()}
	c.step("start")
	return c
}

func (c *clock) step(name string) {
	now := time.Now()
	fmt.Fprintf(c.w, "ocjail: %-26s %7.2f ms\n", name, float64(now.Sub(c.last).Microseconds())/1000)
	c.last = time.Now()
}

// processStart estimates when this process began from the CPU time that it has
// used: the kernel's own start time has a resolution of 10 ms.
func processStart() time.Time {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		return time.Now()
	}
	return time.Now().Add(-time.Duration(ts.Nano()))
}
