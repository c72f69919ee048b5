package gate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/approval"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/decision"
	"github.com/refnil/opencode-jail-devenv/checker/grants"
)

// Question is what a person is asked before a launch.
type Question struct {
	Jail    string
	Project string
	// Last is when the jail was last approved, zero for never.
	Last time.Time
	// Beyond is what was not approved.
	Beyond grants.Difference
	Grants *grants.Grants // all that the jail may do
}

// Answer is what a person says to a Question.
type Answer int

// Refuse starts nothing; Once starts the jail, Remember has it approved as well.
const (
	Refuse Answer = iota
	Once
	Remember
)

// ErrNobody says that there is no terminal at which somebody could be asked.
var ErrNobody = errors.New("there is no terminal to ask at")

// NotApprovedError says that nobody accepted what the jail may do.
type NotApprovedError struct {
	Jail   string
	Asked  bool // somebody said no
	Config string
	// Wanted is where a file asks for approval, "" where none says.
	Wanted string
	// Roots is set where that is the organisation's, which nobody but root writes.
	Roots bool
}

func (e *NotApprovedError) Error() string {
	if e.Asked {
		return fmt.Sprintf("jail %s was not approved; nothing was started", e.Jail)
	}
	text := fmt.Sprintf("jail %s is not approved, and there is no terminal to ask at; nothing was started. Run 'ocjail approve' in the project to look at it and approve it", e.Jail)
	if e.Roots {
		return fmt.Sprintf("%s; the organisation asks for that at %s", text, e.Wanted)
	}
	if e.Wanted != "" {
		return text + ", or delete approval = \"widening\" at " + e.Wanted
	}
	return text + ", or write gate { approval = \"off\" } in " + e.Config + ", where the project can not"
}

// consent asks for the approval of one launch, which may take two attempts.
type consent struct {
	Request
	accepted *grants.Grants // of an earlier attempt
	said     string
	asked    bool // somebody, which takes any time
	// asking is called before, for nothing is to be built and waiting meanwhile.
	asking func() error
}

// JailKey names a jail, which grants g, among those of its project: by its manifest,
// its profile's file, or as the launch names it.
func JailKey(j *checker.Jail, g *grants.Grants) string {
	if name := j.Manifest.JailName(j.Asked.Command); name != "" {
		return name
	}
	if j.Profile != "" {
		return g.PathName(j.Profile)
	}
	return j.Name
}

// to returns what a decision says, and an error unless the jail may start.
func (c *consent) to(j *checker.Jail) (string, error) {
	if !c.Config.Gate.Asks(c.Manifest != nil) {
		return decision.ApprovalOff, nil
	}
	g := grants.Of(j)
	if onlyProxy(j, g) {
		return decision.ApprovalOff, nil
	}
	if c.accepted != nil && len(grants.Compare(c.accepted, g).Wider) == 0 {
		return c.said, nil
	}
	store, key := approval.Open(c.Facts.StateDir, c.Facts.ProjectRoot), JailKey(j, g)
	last, err := store.Approved(key)
	if err != nil {
		return decision.ApprovalBroken, err
	}
	q := Question{Jail: key, Project: c.Facts.ProjectRoot, Grants: g}
	if last != nil {
		q.Last, q.Beyond = last.Time, grants.Compare(last.Grants, g)
		if len(q.Beyond.Wider) == 0 {
			return decision.ApprovalApproved, nil
		}
	} else {
		q.Beyond = grants.Compare(nil, g)
	}
	return c.ask(q, store)
}

// onlyProxy tells whether a jail is that of a bus proxy and nothing besides, which
// needs no approval: it runs a program that the gate trusts, reads, and writes its
// socket. The names that it opens are among the grants of the jail that uses it.
func onlyProxy(j *checker.Jail, g *grants.Grants) bool {
	steers := func(name string) bool { return name != checker.BusAddress } // LD_PRELOAD, for one
	if j.Bus == nil || !j.Bus.Command || g.Network || g.Environment.All || slices.ContainsFunc(g.Environment.Names, steers) {
		return false
	}
	return !slices.ContainsFunc(g.Paths, func(p grants.Path) bool {
		return p.Access&^grants.Read != 0 && p.Path != g.PathName(j.Bus.Directory)
	})
}

func (c *consent) ask(q Question, store approval.Store) (string, error) {
	answer, err := Refuse, ErrNobody
	if c.Ask != nil {
		if err := c.asking(); err != nil {
			return decision.ApprovalRefused, err
		}
		c.asked = true
		answer, err = c.Ask(q)
	}
	refusal := &NotApprovedError{Jail: q.Jail, Asked: true, Config: c.Facts.ConfigDir + "/ocjail.hcl"}
	if from, said := c.Config.From["gate.approval"]; said {
		refusal.Wanted, refusal.Roots = from.Pos.String(), from.Layer == config.Organisation
	}
	switch {
	case errors.Is(err, ErrNobody):
		if err := store.Wait(q.Jail, q.Grants); err != nil {
			c.warn("what was refused can not be kept for 'ocjail approve': %v", err)
		}
		refusal.Asked = false
		return decision.ApprovalMissing, refusal
	case err != nil:
		return decision.ApprovalRefused, err
	case answer == Remember:
		c.said = decision.ApprovalRemembered
		if err := store.Approve(q.Jail, q.Grants); err != nil {
			c.warn("the approval can not be remembered, so the next launch asks again: %v", err)
			c.said = decision.ApprovalOnce
		}
	case answer == Once:
		c.said = decision.ApprovalOnce
	default:
		return decision.ApprovalRefused, refusal
	}
	c.accepted = q.Grants
	return c.said, nil
}
