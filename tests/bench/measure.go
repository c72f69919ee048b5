package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// variant is one command to be timed.
type variant struct {
	name    string
	command []string
	before  func() error    // what is done before each run, not timed; nil for nothing
	samples []time.Duration // until it ended
	started []time.Duration // until the payload ran
	cpu     []time.Duration // of the process and its children: other work disturbs it less
	peak    int64           // KiB, of the process and its children
}

// run times every variant once a round, so that a disturbance hits all alike.
func measure(dir string, rounds int, variants []*variant) error {
	for round := range rounds + 2 {
		for _, v := range variants {
			if v.before != nil {
				if err := v.before(); err != nil {
					return err
				}
			}
			begun, took, usage, err := once(dir, v.command)
			if err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
			if round >= 2 { // the first two warm the caches
				v.samples = append(v.samples, took)
				v.started = append(v.started, begun)
				v.cpu = append(v.cpu, time.Duration(usage.Utime.Nano()+usage.Stime.Nano()))
				v.peak = max(v.peak, usage.Maxrss)
			}
		}
	}
	return nil
}

// once runs a command whose payload prints when it began, and returns how long
// that took, and how long all of it.
func once(dir string, command []string) (begun, took time.Duration, usage *syscall.Rusage, err error) {
	c := exec.Command(command[0], command[1:]...)
	c.Dir = dir
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	start := time.Now()
	if err := c.Run(); err != nil {
		return 0, 0, nil, fmt.Errorf("%w\n%s", err, errOut.Bytes())
	}
	took = time.Since(start)
	stamp, err := strconv.ParseInt(out.String(), 10, 64)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("the payload printed no time: %w", err)
	}
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, nil, fmt.Errorf("no resource usage")
	}
	return time.Unix(0, stamp).Sub(start), took, usage, nil
}

func median[T int64 | float64 | time.Duration](v []T) T {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

func (v *variant) median() time.Duration { return median(v.samples) }

// over is by how much the payload began later than in base, and at how many times that:
// the medians of what the runs of one round come to. A machine whose speed changes in
// between changes both alike, and the medians of either not.
func (v *variant) over(base *variant) (later time.Duration, times float64) {
	laters, quotients := make([]time.Duration, len(v.started)), make([]float64, len(v.started))
	for i, began := range v.started {
		laters[i], quotients[i] = began-base.started[i], float64(began)/float64(base.started[i])
	}
	return median(laters), median(quotients)
}

func ms(d time.Duration) string { return strconv.FormatFloat(d.Seconds()*1000, 'f', 2, 64) }

var timingLine = regexp.MustCompile(`(?m)^ocjail: (.+?) +([0-9.]+) ms$`)

// step is the median of one line of --timings.
type step struct {
	name string
	ms   float64
}

// steps runs ocjail with --timings and returns the median of each step.
func steps(dir string, rounds int, command []string) ([]step, error) {
	var order []string
	samples := map[string][]float64{}
	for range rounds {
		c := exec.Command(command[0], command[1:]...)
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%w\n%s", err, out)
		}
		for _, m := range timingLine.FindAllStringSubmatch(string(out), -1) {
			value, err := strconv.ParseFloat(m[2], 64)
			if err != nil {
				return nil, err
			}
			if samples[m[1]] == nil {
				order = append(order, m[1])
			}
			samples[m[1]] = append(samples[m[1]], value)
		}
	}
	var list []step
	for _, name := range order {
		list = append(list, step{name, median(samples[name])})
	}
	return list, nil
}
