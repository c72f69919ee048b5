package gate

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/approval"
	"github.com/refnil/opencode-jail-devenv/checker/decision"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// attempt checks a jail and starts it once.
type attempt struct {
	Request
	fds     *descriptors
	std     *stdio
	rev     *reviewer
	consent *consent

	jail *checker.Jail
	// ready prepares the launch, and argv digests what was asked for; each is done once,
	// beside the rules if there is time.
	ready func() (*pending, error)
	argv  func() string
}

func (a *attempt) run(ctx context.Context, s *sandbox.Sandbox) (int, error) {
	request := a.resolve(s, a.fds, a.std)
	a.rev.tell(&request)
	j, err := checker.Resolve(request)
	if err != nil {
		return Broken, err
	}
	if err := findCommand(j, a.Environ); err != nil {
		return NotFound, err
	}
	a.step("hardening")
	a.jail = j
	ready := sync.OnceValues(a.prepare)
	a.ready = ready
	a.argv = sync.OnceValue(func() string { return digestOf(j.Asked) })
	j.Meanwhile = func() {
		_, _ = ready() // whoever starts the jail gets the error
		a.argv()
	}
	c, err := a.Checker()
	if err != nil {
		return Broken, err
	}
	a.step("wait for the rules")
	report, err := c.Check(ctx, j)
	if err != nil {
		return a.unjudged(err)
	}
	a.step("judge")
	if a.Show != nil {
		a.Show(report)
	}
	if status, err := a.decide(report); status != 0 || err != nil {
		return status, err
	}
	return a.start(c.Close)
}

// unjudged tells why no rule has judged.
func (a *attempt) unjudged(err error) (int, error) {
	var reach *checker.ReachError
	if !errors.As(err, &reach) {
		return Broken, err
	}
	d := newDecision(&checker.Report{Jail: a.jail}, a.Config, a.argv())
	d.Verdict, d.Refusal = decision.Deny, reach.Error()
	return Refused, errors.Join(fmt.Errorf("jail %s refused: %w; nothing was started", a.jail.Name, reach), a.log(d))
}

// decide makes a report a decision, which is logged. The status is 0 when the jail may
// start.
func (a *attempt) decide(report *checker.Report) (status int, refused error) {
	d := newDecision(report, a.Config, a.argv())
	if d.Verdict != decision.Deny {
		if d.Approval, refused = a.consent.to(a.jail); refused != nil {
			d.Verdict = decision.Deny
		}
		a.step("approval")
	}
	if err := a.log(d); err != nil {
		return Broken, errors.Join(refused, err)
	}
	a.step("log")
	var broken *approval.BrokenError
	switch {
	case errors.As(refused, &broken):
		return Broken, refused
	case d.Verdict == decision.Deny:
		return Refused, refused
	}
	if a.consent.asked {
		a.ready = a.again(a.ready)
	}
	return 0, nil
}

// again prepares the launch anew, once it has been prepared: what is pinned may have been
// replaced by the time of a person's answer.
func (a *attempt) again(before func() (*pending, error)) func() (*pending, error) {
	return func() (*pending, error) {
		if stale, err := before(); err == nil { // else it is wrong still, or is no more
			if err := stale.drop(); err != nil {
				return nil, err
			}
		}
		return a.prepare()
	}
}
