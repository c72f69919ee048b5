package gate

import (
	"errors"
	"sync"

	"github.com/refnil/opencode-jail-devenv/checker"
)

// start hands the checked jail to bwrap, verifies what it built and supervises.
// It calls judged when the verdict is final. Ready prepares the launch, or has done so.
func (r Request) start(j *checker.Jail, ready func() (spec, error), caught func() signals, fds *descriptors, std *stdio, rev *reviewer, judged func()) (int, error) {
	var missing []string
	sp, err := ready()
	if err == nil {
		missing, err = isolate()
	}
	signals := caught()
	if err != nil {
		return signals.give(err)
	}
	for _, m := range missing {
		r.warn("not available here: %s", m)
	}
	rev.begin(j) // beside bwrap's work
	jail, err := start(sp)
	if jail == nil {
		return signals.give(errors.Join(err, rev.cancel()))
	}
	if err == nil {
		r.step("start bwrap")
		err = r.release(j, jail, fds, sp.layers, signals, rev)
	}
	if err != nil {
		return signals.give(errors.Join(err, jail.kill(), rev.cancel()))
	}
	judged()
	if r.Released != nil {
		r.Released()
	}
	if err := std.close(); err != nil {
		return Broken, err // the review is the next launch's
	}
	end, err := jail.supervise(std, signals)
	if e := jail.gone(); e != nil {
		r.warn("%v; what it changed is reviewed before the next launch", e)
	} else {
		rev.end(signals, end.signal != 0)
	}
	return end.finish(), err
}

// release lets the command run if the jail is the one that was checked, and
// does what the caller's own --info-fd and --block-fd ask of bwrap.
func (r Request) release(j *checker.Jail, jail *jailStart, fds *descriptors, layers *layers, signals signals, rev *reviewer) error {
	if err := rev.ready(); err != nil {
		return err
	}
	expected, err := expect(j.Tree, j.FS)
	if err != nil {
		return err
	}
	v := &verifier{expected: expected, child: jail.child, blockFD: jail.blockFD, hostRoot: hostRootOf(j.Tree), built: sync.OnceFunc(func() { r.step("build the jail") }), meanwhile: func() error {
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
	r.step("verify")
	if err := fds.tell(jail.info); err != nil {
		return err
	}
	if fds.block != nil {
		if err := fds.await(v.meanwhile); err != nil {
			return err
		}
		if err := v.once(); err != nil { // that took as long as the caller liked
			return err
		}
	}
	rev.runs(jail.child)
	return jail.run()
}
