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

	caught func() signals

	jail *checker.Jail
	argv func() string // digest of what was asked for
	// trusted is set when bwrap may be executed before the verdict.
	trusted bool
	// waiting is made beside the rules; its error is for who starts the jail.
	waiting    *pending
	waitingErr error
}

func (a *attempt) run(ctx context.Context, s *sandbox.Sandbox) (int, error) {
	request := a.resolve(s, a.fds, a.std)
	a.rev.tell(&request)
	a.caught = catching()
	j, err := checker.Harden(request)
	if err != nil {
		return Broken, err
	}
	if err := findCommand(j, a.Environ); err != nil {
		return NotFound, err
	}
	a.step("hardening")
	a.jail, a.trusted = j, trusts(j)
	c, err := a.Checker()
	if err != nil {
		return Broken, err
	}
	a.step("wait for the rules")
	j.Meanwhile = a.wait
	if status, err := a.judge(c.Check(ctx, j)); status != 0 || err != nil {
		return status, errors.Join(err, a.drop())
	}
	return a.start(c.Close)
}

// trusts tells whether nobody with our rights, nor the jail, can have put another program
// in bwrap's place. Else it is the verdict that tells (gate/own-program).
func trusts(j *checker.Jail) bool {
	root := j.Facts.UID == 0 || j.Facts.EUID == 0 // others can write nothing that they could not swap
	return !swappable(j, j.Bwrap.Path) && !(root && j.Tree.Widest(j.Bwrap.Path).Access.Writes())
}

// wait prepares the launch, and has bwrap wait for the verdict if it may be executed. A
// program in which bwrap's options are not found may be anything: it is not taken for
// bwrap, which would wait, and not even asked for its options if it could be an agent's.
func (a *attempt) wait() {
	a.argv = sync.OnceValue(func() string { return digestOf(a.jail.Asked) })
	go a.argv() // whose turn comes when the input is made
	legible := a.Bwrap.Legible()
	if !legible && !a.trusted {
		return
	}
	a.waiting, a.waitingErr = a.prepare()
	if a.waitingErr == nil && a.waiting.hold != nil && legible && a.trusted {
		if err := a.waiting.load(); err != nil {
			a.waitingErr = errors.Join(err, a.drop())
		}
	}
}

// drop ends what waits.
func (a *attempt) drop() error {
	if a.waiting == nil {
		return nil
	}
	waiting := a.waiting
	a.waiting = nil
	return waiting.drop()
}

// judge tells of a verdict. The status is 0 when the jail may start.
func (a *attempt) judge(report *checker.Report, err error) (status int, refused error) {
	if err != nil {
		return a.unjudged(err)
	}
	a.step("judge")
	if a.Show != nil {
		a.Show(report)
	}
	return a.decide(report)
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
	// What is pinned may have been replaced by the time of a person's answer.
	if unprepared := a.waiting == nil && a.waitingErr == nil; unprepared || a.consent.asked {
		if err := a.drop(); err != nil {
			return Broken, err
		}
		a.waiting, a.waitingErr = a.prepare()
	}
	return 0, nil
}
