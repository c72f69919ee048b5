package gate

import (
	"errors"
	"sync"
)

// start hands the checked jail to bwrap, verifies what it built and supervises.
// It calls judged when the verdict is final.
func (a *attempt) start(judged func()) (int, error) {
	waiting, err := a.waiting, a.waitingErr
	if err == nil {
		err = waiting.build()
	}
	if err == nil {
		a.rev.begin(a.jail) // beside bwrap's work; a signal ends this process meanwhile
	}
	signals := a.caught()
	if err != nil {
		return signals.give(errors.Join(err, a.drop()))
	}
	jail, err := waiting.start(signals)
	for _, m := range waiting.missing {
		a.warn("not available here: %s", m)
	}
	if err == nil {
		a.step("start bwrap")
		err = a.release(jail, waiting.layers, signals)
	}
	if err != nil {
		return signals.give(errors.Join(err, jail.kill(), a.rev.cancel()))
	}
	judged()
	if a.Released != nil {
		a.Released()
	}
	if err := a.std.close(); err != nil {
		return Broken, err // the review is the next launch's
	}
	end, err := jail.supervise(a.std, signals)
	if e := jail.gone(); e != nil {
		a.warn("%v; what it changed is reviewed before the next launch", e)
	} else {
		a.rev.end(signals, end.signal != 0)
	}
	return end.finish(), err
}

// release lets the command run if the jail is the one that was checked, and
// does what the caller's own --info-fd and --block-fd ask of bwrap.
func (a *attempt) release(jail *jailStart, layers *layers, signals signals) error {
	if err := a.rev.ready(); err != nil {
		return err
	}
	expected, err := expect(a.jail.Tree, a.jail.FS)
	if err != nil {
		return err
	}
	v := &verifier{expected: expected, child: jail.child, blockFD: jail.blockFD, hostRoot: hostRootOf(a.jail.Tree), built: sync.OnceFunc(func() { a.step("build the jail") }), meanwhile: func() error {
		for _, look := range []func() error{signals.fatal, jail.tether.pump, jail.listen} {
			if err := look(); err != nil {
				return err
			}
		}
		return nil
	}}
	if err := v.wait(setupLimit); err != nil {
		return err
	}
	if err := errors.Join(layers.steady(), layers.close()); err != nil {
		return err
	}
	if err := jail.identify(); err != nil {
		return err
	}
	a.step("verify")
	if err := a.fds.tell(jail.info); err != nil {
		return err
	}
	if a.fds.block != nil {
		if err := a.fds.await(v.meanwhile); err != nil {
			return err
		}
		if err := v.once(false); err != nil { // that took as long as the caller liked
			return err
		}
	}
	a.rev.runs(jail.child)
	return jail.run()
}
