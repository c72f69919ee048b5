package gate

import (
	"context"
	"errors"
	"fmt"

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
	// trusted is set when bwrap is nobody's but root's, executed when it may be executed
	// before the verdict.
	trusted, executed bool
	// waiting is made before the verdict; its error is for who starts the jail.
	waiting    *pending
	waitingErr error
}

func (a *attempt) run(ctx context.Context, s *sandbox.Sandbox) (int, error) {
	request := a.resolve(s, a.fds, a.std)
	a.rev.tell(&request)
	a.consent.asking = a.drop
	legible := a.Bwrap.Legible() // while others look for the watched paths
	j, err := checker.Draft(request)
	if err != nil {
		return Broken, err
	}
	a.jail = j
	a.load(legible)
	a.step("load bwrap")
	c, status, err := a.harden()
	if err == nil {
		status, err = a.judge(c.Check(ctx, j))
	}
	if status != 0 || err != nil {
		return status, errors.Join(err, a.drop())
	}
	return a.start(c.Close)
}

// load executes bwrap while its options are made, if it may be executed before the
// verdict. A program in which bwrap's options are not found may be anything: it is not
// taken for bwrap, which would wait.
func (a *attempt) load(legible bool) {
	a.trusted = trusts(a.jail)
	a.executed = legible && a.trusted
	if !a.executed {
		return
	}
	a.waiting, a.waitingErr = a.prepare()
	if a.waitingErr == nil && a.waiting.hold != nil {
		a.failed(a.waiting.load())
	}
}

// harden makes the jail what the rules judge, and has bwrap build it if that may be done
// before the verdict.
func (a *attempt) harden() (c *checker.Checker, status int, err error) {
	j := a.jail
	if err := j.Harden(); err != nil {
		return nil, Broken, err
	}
	if err := findCommand(j, a.Environ); err != nil {
		return nil, NotFound, err
	}
	a.step("hardening")
	if err := a.begin(); err != nil {
		return nil, Broken, err
	}
	a.caught = catching() // which takes a while, and bwrap is at work
	if c, err = a.Checker(); err != nil {
		return nil, Broken, err
	}
	a.step("wait for the rules")
	return c, 0, nil
}

// trusts tells whether nobody with our rights, nor the jail, can have put another program
// in bwrap's place. Else it is the verdict that tells (gate/own-program).
func trusts(j *checker.Jail) bool {
	root := j.Facts.UID == 0 || j.Facts.EUID == 0 // others can write nothing that they could not swap
	return !swappable(j, j.Bwrap.Path) && !(root && j.Plain.Widest(j.Bwrap.Path).Access.Writes())
}

// begin makes what bwrap is to read, and has it build the jail where that leaves no trace.
// A program in which they are not found is not even asked for its options if it could be
// an agent's.
func (a *attempt) begin() error {
	j := a.jail
	if a.waiting != nil && !a.waiting.fits(j) {
		if err := a.drop(); err != nil {
			return err
		}
	}
	if a.waiting == nil && a.waitingErr == nil && (a.trusted || a.Bwrap.Legible()) {
		a.waiting, a.waitingErr = a.prepare()
	}
	if a.waiting == nil {
		return nil
	}
	err := a.waiting.complete(j)
	if err == nil && a.executed && traceless(j) {
		err = a.waiting.build()
	}
	a.failed(err)
	return nil
}

// failed ends what waits, for who starts the jail to tell, unless err is nil.
func (a *attempt) failed(err error) {
	if err != nil {
		a.waitingErr = errors.Join(err, a.drop())
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
	d := newDecision(&checker.Report{Jail: a.jail}, a.Config, digestOf(a.jail.Asked))
	d.Verdict, d.Refusal = decision.Deny, reach.Error()
	return Refused, errors.Join(fmt.Errorf("jail %s refused: %w; nothing was started", a.jail.Name, reach), a.log(d))
}

// decide makes a report a decision, which is logged. The status is 0 when the jail may
// start.
func (a *attempt) decide(report *checker.Report) (status int, refused error) {
	d := newDecision(report, a.Config, digestOf(a.jail.Asked))
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
		if a.waiting, a.waitingErr = a.prepare(); a.waitingErr == nil {
			a.failed(a.waiting.complete(a.jail))
		}
	}
	return 0, nil
}
